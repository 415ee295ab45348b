//! The server against the DNS programs of Debian: `dig`, `kdig`, `drill`, `nsupdate`, and Knot as a secondary.
//!
//! A program that is not installed is named on standard error and its tests are passed over;
//! `FIREDRILL_REQUIRE_DEBIAN=1` makes that a failure.

mod masters;
mod queries;
mod rig;
mod secondary;
mod transfers;
mod updates;
