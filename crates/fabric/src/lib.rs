//! The model of a Skype for Business Server deployment under a virtual clock.
