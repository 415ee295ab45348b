//! `Send-MailMessage`: mails are kept, none is sent.

use firedrill_powershell::Value;

use crate::commands::Command;
use crate::context::{Cx, Done, as_text};
use crate::shell::Mail;

pub(crate) const COMMANDS: &[Command] = &[Command::new(
    "Send-MailMessage",
    send,
    &[
        "To",
        "Cc",
        "Bcc",
        "From",
        "Subject",
        "Body",
        "BodyAsHtml",
        "SmtpServer",
        "Port",
        "UseSsl",
        "Priority",
        "Credential",
        "Encoding",
        "Attachments",
        "DeliveryNotificationOption",
    ],
)
.implemented_by("Microsoft.PowerShell.Commands.SendMailMessage")];

fn send(cx: &mut Cx<'_>) -> Done {
    let text = |cx: &Cx<'_>, name: &str| cx.get(name).and_then(as_text).unwrap_or_default().to_string();
    let server = cx.get("SmtpServer").and_then(as_text).map(|server| server.to_string()).unwrap_or_default();
    let to: Vec<String> = ["To", "Cc", "Bcc"].iter().flat_map(|name| cx.list(name).unwrap_or_default()).map(|a| a.to_string()).collect();
    let mail = Mail {
        at: cx.fabric.now(),
        computer: cx.here,
        from: text(cx, "From"),
        to,
        subject: text(cx, "Subject"),
        body: text(cx, "Body"),
        server,
    };
    if let Some(Value::Array(_) | Value::List(_) | Value::Str(_)) = cx.get("Attachments") {
        for path in cx.list("Attachments").unwrap_or_default() {
            if cx.fabric.read_file(cx.here, &path).is_none() {
                cx.io.remark(&format!("the attachment {path} does not exist in the rehearsal"));
            }
        }
    }
    cx.io.remark(&format!("mail to {} is kept, not sent: {}", mail.to.join(", "), mail.subject));
    cx.state.outbox.push(mail);
    Ok(())
}
