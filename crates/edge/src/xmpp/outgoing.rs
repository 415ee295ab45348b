//! A stream that we opened and keep: stanzas go out on it, nothing but errors comes back (RFC 6120 4.5).

use std::sync::Arc;

use firedrill_fabric::federation::Direction;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use super::call::{Facts, StreamFailure, stream_error};
use super::element::Element;
use super::frame::Frame;
use super::host::Host;
use super::line::{Broken, Line};
use super::policy::Times;
use super::words::{FOOTER, STREAMS};

/// A stanza on its way, and who wants to know what became of it.
pub(crate) struct Parcel {
    pub(crate) stanza: Element,
    pub(crate) done: oneshot::Sender<Result<(), StreamFailure>>,
}

/// Opens and authenticates a stream, then sends what is queued until nobody has anything to say any more. When the stream
/// does not come about, everything that waits for it fails.
pub(crate) async fn run(host: Arc<Host>, from: String, to: String, mut parcels: mpsc::Receiver<Parcel>) {
    let establishment = host.policy(&to).times.establishment;
    let established = timeout(establishment, establish(&host, &from, &to)).await.unwrap_or(Err(StreamFailure::Late));
    let failure = match established {
        Ok((line, times)) => carry(line, times, &mut parcels).await,
        Err(failure) => failure,
    };
    parcels.close();
    while let Some(parcel) = parcels.recv().await {
        // Nobody may be waiting.
        let _told = parcel.done.send(Err(failure.clone()));
    }
}

async fn establish(host: &Host, from: &str, to: &str) -> Result<(Line, Times), StreamFailure> {
    let mut facts = Facts::default();
    let (mut call, policy) = host.call(from, to, &mut facts).await?;
    let credentials = host.credentials().map_err(|error| StreamFailure::Tls(error.to_string()))?;
    let secret = host.secret();
    call.authenticate(&host.caller(from, to, &policy, &credentials, &secret), &mut facts).await?;
    if let Some(method) = facts.method {
        host.note(Direction::Outbound, from, to, facts.tls.is_some(), method);
    }
    Ok((call.into_line(), policy.times))
}

/// Sends until the stream ends; returns why it did.
async fn carry(mut line: Line, times: Times, parcels: &mut mpsc::Receiver<Parcel>) -> StreamFailure {
    let mut last_sent = Instant::now();
    loop {
        let idle = last_sent + times.inactivity;
        let keep_alive = times.keep_alive.map_or(idle, |interval| last_sent + interval);
        tokio::select! {
            parcel = parcels.recv() => {
                let Some(parcel) = parcel else {
                    let _closed = line.send(FOOTER).await;
                    return StreamFailure::Broken("the server has stopped".to_owned());
                };
                let sent = line.send(&parcel.stanza.to_xml()).await;
                let outcome = sent.map_err(|error| StreamFailure::Broken(error.kind().to_string()));
                let failed = outcome.clone().err();
                let _told = parcel.done.send(outcome);
                if let Some(failure) = failed {
                    return failure;
                }
                last_sent = Instant::now();
            }
            frame = line.next() => match frame {
                Ok(Frame::Element(element)) if element.is(STREAMS, "error") => return stream_error(&element),
                // Features of the restarted stream, or answers that nobody waits for.
                Ok(Frame::Element(_) | Frame::Header(_)) => {}
                Ok(Frame::Footer) | Err(Broken::Closed) => {
                    let _closed = line.send(FOOTER).await;
                    return StreamFailure::Broken("the peer closed the stream".to_owned());
                }
                Err(Broken::Late) => return StreamFailure::Late,
                Err(Broken::Failed(error)) => return StreamFailure::Broken(error.kind().to_string()),
                Err(Broken::Xml(condition)) => return StreamFailure::Garbled(condition.name().to_owned()),
            },
            () = sleep_until(keep_alive.min(idle)) => {
                // A keep-alive holds the connection open: the product uses them for that (`EnableKeepAlive`, dossier F.7).
                if keep_alive >= idle || line.send(" ").await.is_err() {
                    let _closed = line.send(FOOTER).await;
                    return StreamFailure::Broken("idle".to_owned());
                }
                last_sent = Instant::now();
            }
        }
    }
}
