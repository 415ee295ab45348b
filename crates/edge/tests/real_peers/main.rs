//! The mock Edge against programs that nobody here wrote: Prosody and ejabberd of Debian, each on a loopback address of
//! its own, with the fabric's DNS server as resolver; openssl, sipsak and sipp for SIP.
//!
//! A program that is not installed is named on standard error and its tests are passed over; `FIREDRILL_REQUIRE_DEBIAN=1`
//! makes that a failure. Time-to-live is real time here: these servers have clocks of their own.

mod client;
mod ejabberd;
mod procedures;
mod prosody;
mod rig;
mod sip;
