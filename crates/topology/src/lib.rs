//! The deployment document: sites, pools, computers, SQL stores, Edge pools, users and DNS zones.
//!
//! [`model`] is what a document means once it is valid. The crate knows nothing of time or commands and does no I/O
//! beyond reading a given text.

pub mod model;

pub use model::*;
