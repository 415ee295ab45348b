//! Exit codes: stable, because scripts read them.

/// How a run of the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything that was selected passed.
    Pass,
    /// A scenario failed.
    Failed,
    /// The command line means nothing.
    Usage,
    /// A scenario, runbook or topology is invalid; nothing of it was run.
    Invalid,
    /// The selection selected nothing.
    NothingSelected,
    /// Nothing failed, and something could not be decided.
    Inconclusive,
    /// Two runs with the same inputs differed.
    Nondeterministic,
    /// A bug of Firedrill's own.
    Bug,
    /// What a script said with `exit`; 1 after a terminating error.
    Script(u8),
}

impl Exit {
    /// The number; 2 is also clap's, 7 (budget) and 130 (interrupted) belong to what cuts a run short.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Invalid => 3,
            Self::NothingSelected => 4,
            Self::Inconclusive => 5,
            Self::Nondeterministic => 6,
            Self::Bug => 70,
            Self::Script(code) => code,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
