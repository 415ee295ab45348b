//! A rehearsal ground for Skype for Business Server disaster recovery.
