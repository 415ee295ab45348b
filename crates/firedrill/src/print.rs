//! Standard output for data, standard error for talk, and colour where it is wanted.

use std::io::Write as _;

use firedrill_syntax::{Diagnostic, Severity};

use crate::cli::Colour;
use crate::exit::Exit;
use crate::select::SelectError;

/// Writes for people and pipes. A reader that closes its pipe has seen enough: that is no error.
pub(crate) struct Printer {
    colour_out: bool,
    colour_err: bool,
}

impl Printer {
    pub(crate) fn new(colour: Colour) -> Self {
        let choice = match colour {
            Colour::Auto => anstream::ColorChoice::Auto,
            Colour::Always => anstream::ColorChoice::Always,
            Colour::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        let wanted = |auto: anstream::ColorChoice| match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => auto != anstream::ColorChoice::Never,
        };
        Self {
            colour_out: wanted(anstream::AutoStream::choice(&std::io::stdout())),
            colour_err: wanted(anstream::AutoStream::choice(&std::io::stderr())),
        }
    }

    /// Whether standard output shows colour.
    pub(crate) fn colour(&self) -> bool {
        self.colour_out
    }

    /// Writes data.
    pub(crate) fn out(&mut self, text: &str) {
        let _ = anstream::stdout().write_all(text.as_bytes());
    }

    /// Writes a line of talk.
    pub(crate) fn talk(&mut self, text: &str) {
        let _ = writeln!(anstream::stderr(), "{text}");
    }

    /// Writes diagnostics; true when one of them is an error.
    pub(crate) fn diagnostics(&mut self, diagnostics: &[Diagnostic]) -> bool {
        if !diagnostics.is_empty() {
            self.talk(firedrill_syntax::render(diagnostics, self.colour_err).trim_end());
        }
        diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Says why a selection means nothing.
    pub(crate) fn usage_error(&mut self, error: &SelectError) -> Exit {
        self.talk(&format!("error: {error}"));
        error.exit()
    }
}
