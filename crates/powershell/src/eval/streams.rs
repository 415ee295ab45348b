//! Streams other than the output.

use std::sync::Arc;

use super::errors::Action;
use super::{Evaluator, Invoked};
use crate::error::{ErrorRecord, Flow};
use crate::session::StreamKind;
use crate::value::{ArrayRef, PsObject, Value};

/// Where one stream goes.
#[derive(Debug, Clone, Default)]
pub(crate) enum Route {
    /// To the stream of the run.
    #[default]
    Own,
    /// Nowhere.
    Null,
    /// Into a buffer: merged into the output of a command, or a file.
    Buffer(ArrayRef),
}

/// Where the streams of a command go.
#[derive(Debug, Clone, Default)]
pub(crate) struct Routes {
    pub(crate) error: Route,
    pub(crate) warning: Route,
    pub(crate) verbose: Route,
    pub(crate) debug: Route,
    pub(crate) information: Route,
    /// `-ErrorVariable`, of this command and of those around it.
    pub(crate) error_variables: Vec<ArrayRef>,
    pub(crate) warning_variables: Vec<ArrayRef>,
    pub(crate) information_variables: Vec<ArrayRef>,
}

/// A message record, as it appears when a stream is merged into the output.
fn message(kind: &str, text: &str) -> Value {
    PsObject::new(format!("System.Management.Automation.{kind}Record")).with("Message", text).with_text(text).into()
}

/// An `InformationRecord`.
fn information(data: Value, text: &str) -> Value {
    PsObject::new("System.Management.Automation.InformationRecord").with("MessageData", data).with_text(text).into()
}

impl Evaluator<'_> {
    pub(crate) fn write_routed(&mut self, route: &Route, value: Value, record: StreamKind) -> Result<(), Flow> {
        match route {
            Route::Own => self.push_record(record),
            Route::Null => Ok(()),
            Route::Buffer(buffer) => {
                if let Ok(mut buffer) = buffer.write() {
                    buffer.push(value);
                }
                Ok(())
            }
        }
    }

    fn stopped(&self, stream: &str, text: &str, invoked: &Invoked) -> Flow {
        let message = format!(
            "The running command stopped because the preference variable \"{stream}Preference\" or common parameter is set to Stop: {text}"
        );
        let mut record = ErrorRecord::new(
            message,
            "ActionPreferenceStop",
            "OperationStopped",
            "System.Management.Automation.ActionPreferenceStopException",
        );
        self.decorate(&mut record, invoked);
        Flow::fatal(record)
    }

    pub(crate) fn warn(&mut self, text: &str, invoked: &Invoked) -> Result<(), Flow> {
        let action = match invoked.warning_action {
            Some(action) => action,
            None => self.preference("warningpreference", Action::Continue),
        };
        let routes = self.env.routes.clone();
        if action != Action::Ignore {
            for variable in &routes.warning_variables {
                if let Ok(mut values) = variable.write() {
                    values.push(message("Warning", text));
                }
            }
        }
        match action {
            Action::Ignore | Action::SilentlyContinue => Ok(()),
            Action::Stop => {
                self.write_routed(&routes.warning, message("Warning", text), StreamKind::Warning(text.into()))?;
                Err(self.stopped("Warning", text, invoked))
            }
            Action::Continue | Action::Inquire => {
                self.write_routed(&routes.warning, message("Warning", text), StreamKind::Warning(text.into()))
            }
        }
    }

    pub(crate) fn is_verbose(&mut self, invoked: &Invoked) -> bool {
        match invoked.verbose {
            Some(on) => on,
            None => !matches!(self.preference("verbosepreference", Action::SilentlyContinue), Action::SilentlyContinue | Action::Ignore),
        }
    }

    pub(crate) fn write_verbose(&mut self, text: &str, invoked: &Invoked) -> Result<(), Flow> {
        if !self.is_verbose(invoked) {
            return Ok(());
        }
        if invoked.verbose.is_none() && self.preference("verbosepreference", Action::Continue) == Action::Stop {
            return Err(self.stopped("Verbose", text, invoked));
        }
        let routes = self.env.routes.clone();
        self.write_routed(&routes.verbose, message("Verbose", text), StreamKind::Verbose(text.into()))
    }

    pub(crate) fn write_debug(&mut self, text: &str, invoked: &Invoked) -> Result<(), Flow> {
        let on = match invoked.debug {
            Some(on) => on,
            None => !matches!(self.preference("debugpreference", Action::SilentlyContinue), Action::SilentlyContinue | Action::Ignore),
        };
        if !on {
            return Ok(());
        }
        let routes = self.env.routes.clone();
        self.write_routed(&routes.debug, message("Debug", text), StreamKind::Debug(text.into()))
    }

    pub(crate) fn write_information(&mut self, value: Value, invoked: &Invoked) -> Result<(), Flow> {
        let action = match invoked.information_action {
            Some(action) => action,
            None => self.preference("informationpreference", Action::SilentlyContinue),
        };
        let routes = self.env.routes.clone();
        if action != Action::Ignore {
            for variable in &routes.information_variables {
                if let Ok(mut values) = variable.write() {
                    values.push(information(value.clone(), &self.text(&value)));
                }
            }
        }
        match (&routes.information, action) {
            (_, Action::Ignore) => Ok(()),
            (Route::Own, Action::SilentlyContinue) => Ok(()),
            (_, Action::Stop) => Err(self.stopped("Information", &self.text(&value), invoked)),
            (route, _) => {
                let record = StreamKind::Information(value.clone());
                self.write_routed(&route.clone(), value, record)
            }
        }
    }

    /// `Write-Host`: the host, or the information stream when that is redirected.
    pub(crate) fn write_host(&mut self, text: &str, newline: bool) -> Result<(), Flow> {
        let routes = self.env.routes.clone();
        for variable in &routes.information_variables {
            if let Ok(mut values) = variable.write() {
                values.push(message("Information", text));
            }
        }
        let line: Arc<str> = text.into();
        self.write_routed(&routes.information, message("Information", text), StreamKind::Host { text: line, newline })
    }
}
