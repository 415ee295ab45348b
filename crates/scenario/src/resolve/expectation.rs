//! Expectations as written to checks on ids. A mapping of several subjects becomes one check each, so that a failure
//! names its own line.

use std::collections::BTreeMap;
use std::sync::Arc;

use firedrill_fabric::operation::MirrorSide;
use firedrill_fabric::{ServiceMode, SimDuration};
use firedrill_syntax::{DurationText, Located, Span, quote};
use firedrill_topology::BackEnd;

use super::convert::{
    cms_database, data_kind, databases, export_state, import_state, pool_state, service_mode, service_status, serving_cause,
};
use super::names::{has_replica, is_none};
use super::settings::Purpose;
use super::{Resolver, entry_span};
use crate::document::*;
use crate::scenario::{
    Bounds, Check, ErrorDemand, Expectation, ExperienceColumn, Holder, ObjectsDemand, Origin, Properties, Quantity, Stream, TextDemand, Who,
};

/// Where expectations stand; it decides which of them make sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Station {
    /// On a `run` step.
    Command,
    /// On a step of Topology Builder or of the deployment wizard, which speak but give no objects.
    Operation,
    /// On a step that waits.
    Timed,
    /// Anywhere else.
    Elsewhere,
}

/// Largest compiled size of a regular expression of a scenario, in bytes.
const REGEX_SIZE: usize = 1 << 20;

impl Resolver<'_> {
    /// All expectations of a list.
    pub(crate) fn expectations(&mut self, documents: &[Located<ExpectationDocument>], station: Station) -> Vec<Expectation> {
        documents.iter().flat_map(|document| self.expectation(document, station)).collect()
    }

    fn expectation(&mut self, document: &Located<ExpectationDocument>, station: Station) -> Vec<Expectation> {
        let whole = entry_span(self.source, document.span);
        let before = self.problems.count();
        let checks = self.checks(&document.value, whole, station);
        if checks.is_empty() && self.problems.count() == before {
            let hint = Some("say what has to hold".to_owned());
            self.error("empty-expectation", whole, "this expectation expects nothing", hint);
        }
        checks.into_iter().map(|(check, span)| Expectation { origin: Origin { source: self.source.clone(), span }, check }).collect()
    }

    fn checks(&mut self, document: &ExpectationDocument, whole: Span, station: Station) -> Vec<(Check, Span)> {
        use ExpectationDocument as D;
        let at = |check: Option<Check>| check.map(|check| (check, whole)).into_iter().collect::<Vec<_>>();
        match document {
            D::Homing(e) => at(self.homing(e, whole)),
            D::Serving(e) => at(self.serving(e)),
            D::Experience(e) => self.experience(e),
            D::Cms(e) => self.cms(e),
            D::Replicas(e) => at(self.replicas(e, whole)),
            D::PoolState(map) => {
                let entries = map.iter().filter_map(|(name, state)| {
                    let pool = self.pool(name)?;
                    Some((Check::PoolState { pool, state: pool_state(state.value) }, name.span.to(state.span)))
                });
                by_place(entries.collect())
            }
            D::Backup(e) => at(self.backup(e, whole)),
            D::Services(e) => at(self.services(e)),
            D::Settings(settings) => {
                let settings = self.settings(settings, Purpose::Compare);
                settings.into_iter().map(|(setting, span)| (Check::Setting { setting, replica_of: None }, span)).collect()
            }
            D::ReplicaSettings(e) => {
                let computer = self.shell(&e.on);
                let settings = self.settings(&e.settings, Purpose::Compare);
                let Some(computer) = computer else { return Vec::new() };
                settings.into_iter().map(|(setting, span)| (Check::Setting { setting, replica_of: Some(computer) }, span)).collect()
            }
            D::Media(e) => at(self.media(e, whole)),
            D::Dns(e) => at(self.dns(e, whole)),
            D::Federation(e) => at(self.federation(e)),
            D::SetupPending(map) => {
                let entries = map.iter().filter_map(|(name, pending)| {
                    let computers = self.computers(name, false);
                    (!computers.is_empty()).then(|| (Check::SetupPending { computers, pending: pending.value }, name.span.to(pending.span)))
                });
                by_place(entries.collect())
            }
            D::Principal(e) => self.principal(e, whole),
            D::Quorum(e) => at(self.quorum(e, whole)),
            D::Rto(e) => {
                let who = self.who(&e.of);
                let bounds = self.bounds(e.at_least.as_ref(), e.at_most.as_ref(), whole);
                at(who.zip(bounds).map(|(who, bounds)| Check::Rto { who, until: e.until, bounds }))
            }
            D::Rpo(e) => {
                let who = self.who(&e.of);
                let bounds = self.bounds(e.at_least.as_ref(), e.at_most.as_ref(), whole);
                let kind = data_kind(e.data.value);
                let owned = who.and_then(|who| self.check_owner(who, kind, e.data.span).map(|()| who));
                at(owned.zip(bounds).map(|(who, bounds)| Check::Rpo { who: Some(who), kind, bounds }))
            }
            D::Output(_) | D::Remarks(_) | D::Objects(_) if station == Station::Operation => {
                let hint = Some("the dialogs can be asked for `fails`, `warnings`, `verbose` and `host`".to_owned());
                self.error("no-command", whole, "only PowerShell has such output", hint);
                Vec::new()
            }
            D::Fails(_) | D::Output(_) | D::Warnings(_) | D::Verbose(_) | D::Host(_) | D::Remarks(_) | D::Objects(_)
                if !matches!(station, Station::Command | Station::Operation) =>
            {
                let hint = Some("move it below the `expect:` of the step with `run:`".to_owned());
                self.error("no-command", whole, "no command stands here whose outcome could be looked at", hint);
                Vec::new()
            }
            D::Fails(e) => at(self.fails(e)),
            D::Output(e) => at(self.text(Stream::Output, e, whole)),
            D::Warnings(e) => at(self.text(Stream::Warnings, e, whole)),
            D::Verbose(e) => at(self.text(Stream::Verbose, e, whole)),
            D::Host(e) => at(self.text(Stream::Host, e, whole)),
            D::Remarks(e) => at(self.text(Stream::Remarks, e, whole)),
            D::Objects(e) => at(self.objects(e, whole)),
            D::Took(e) => {
                if station == Station::Elsewhere {
                    let hint = Some("`took` belongs to a step that runs something or waits".to_owned());
                    self.error("no-command", whole, "nothing here takes time", hint);
                    return Vec::new();
                }
                at(self.bounds(e.at_least.as_ref(), e.at_most.as_ref(), whole).map(Check::Took))
            }
        }
    }

    /// A selection of users.
    pub(crate) fn who(&mut self, who: &Located<WhoDocument>) -> Option<Who> {
        match &who.value {
            WhoDocument::User(address) => self.user(address).map(Who::User),
            WhoDocument::Pool(name) => self.pool(name).map(Who::Pool),
            WhoDocument::Users(range) => {
                let (first, last) = (self.user(&range.from), self.user(&range.to));
                let (first, last) = (first?, last?);
                if first > last {
                    let message = format!("{} comes before {}", quote(&range.to), quote(&range.from));
                    self.error(
                        "empty-range",
                        range.to.span,
                        message,
                        Some("write the first user in `from` and the last in `to`".to_owned()),
                    );
                    return None;
                }
                Some(Who::Users(first, last))
            }
        }
    }

    fn homing(&mut self, e: &HomingExpectation, whole: Span) -> Option<Check> {
        let who = self.who(&e.of);
        let pool = match &e.pool {
            Some(name) => Some(self.pool(name)?),
            None => None,
        };
        let who = who?;
        if pool.is_none() && (e.count.is_none() || !matches!(who, Who::Pool(_))) {
            let hint = "write `pool:`, or `of: { pool: … }` with `count:`".to_owned();
            self.error("empty-expectation", whole, "it is not said which pool the users are homed on", Some(hint));
            return None;
        }
        Some(Check::Homing { who, pool, count: e.count.map(Located::into_inner) })
    }

    fn serving(&mut self, e: &ServingExpectation) -> Option<Check> {
        let who = self.who(&e.of);
        let mode = service_mode(e.mode.value);
        let by = match &e.by {
            Some(name) if mode == ServiceMode::SignedOut => {
                let hint = Some("remove `by:`".to_owned());
                self.error("contradiction", name.span, "a user who is signed out is served by no pool", hint);
                return None;
            }
            Some(name) => Some(self.pool(name)?),
            None => None,
        };
        let quantity = match (&e.count, &e.at_least, &e.at_most) {
            (None, None, None) => Quantity::All,
            (Some(count), None, None) => Quantity::Between(count.value, count.value),
            (Some(count), _, _) => {
                let hint = Some("write either `count:`, or `at_least:` and `at_most:`".to_owned());
                self.error("contradiction", count.span, "an exact number and a bound exclude each other", hint);
                return None;
            }
            (None, least, most) => {
                let (least, most) = (least.map_or(0, |n| n.value), most.map_or(u32::MAX, |n| n.value));
                if let Some(bound) = e.at_least.filter(|_| least > most) {
                    self.error(
                        "contradiction",
                        bound.span,
                        format!("no number is at least {least} and at most {most}"),
                        Some("write the smaller number in `at_least`".to_owned()),
                    );
                    return None;
                }
                Quantity::Between(least, most)
            }
        };
        Some(Check::Serving { who: who?, mode, by, quantity, cause: e.cause.map(|cause| serving_cause(cause.value)) })
    }

    fn experience(&mut self, e: &ExperienceExpectation) -> Vec<(Check, Span)> {
        let Some(user) = self.user(&e.user) else { return Vec::new() };
        let columns = [
            (ExperienceColumn::SignIn, e.sign_in),
            (ExperienceColumn::OwnConferences, e.own_conferences),
            (ExperienceColumn::OthersConferences, e.others_conferences),
            (ExperienceColumn::Contacts, e.contacts),
            (ExperienceColumn::Presence, e.presence),
            (ExperienceColumn::PeerToPeer, e.peer_to_peer),
            (ExperienceColumn::PersistentChanges, e.persistent_changes),
        ];
        let wanted = columns.into_iter().filter_map(|(column, able)| {
            let able = able?;
            Some((Check::Experience { user, column, able: able.value }, able.span))
        });
        by_place(wanted.collect())
    }

    fn cms(&mut self, e: &CmsExpectation) -> Vec<(Check, Span)> {
        let mut checks = Vec::new();
        if let Some(name) = &e.master {
            checks.extend(self.holder(name).map(|holder| (Check::CmsMaster(holder), name.span)));
        }
        if let Some(name) = &e.file_transfer_agents {
            checks.extend(self.holder(name).map(|holder| (Check::CmsTransferAgents(holder), name.span)));
        }
        for (name, state) in &e.databases {
            let state_span = state.span;
            checks.extend(self.pool(name).map(|pool| (Check::CmsDatabase { pool, state: cms_database(state.value) }, state_span)));
        }
        if let Some(name) = &e.store_location {
            checks.extend(self.sql(name).map(|sql| (Check::CmsLocation(sql), name.span)));
        }
        by_place(checks)
    }

    /// A pool, one of its computers, or nobody.
    fn holder(&mut self, name: &Located<String>) -> Option<Holder> {
        if is_none(name) {
            return Some(Holder::Nobody);
        }
        match self.topology.find_pool(name) {
            Some(pool) => Some(Holder::Pool(pool)),
            None => self.computer(name).map(Holder::Computer),
        }
    }

    fn replicas(&mut self, e: &ReplicasExpectation, whole: Span) -> Option<Check> {
        let topology = self.topology;
        let mut computers = Vec::new();
        for name in &e.of {
            let found = self.computers(name, true);
            if let Some(other) = found.iter().find(|id| !has_replica(topology, **id)) {
                let message = format!("{} holds no replica", quote(&topology.computer(*other).fqdn));
                self.error("no-replica", name.span, message, Some("replicas are on Front Ends and Edge Servers".to_owned()));
                return None;
            }
            if found.is_empty() {
                return None;
            }
            computers.extend(found);
        }
        if e.of.is_empty() {
            computers = topology.computer_ids().filter(|id| has_replica(topology, *id)).collect();
        }
        computers.sort_unstable();
        computers.dedup();
        if e.up_to_date.is_none() && e.version.is_none() && e.product_version.is_none() {
            let hint = Some("write `up_to_date:`, `version:` or `product_version:`".to_owned());
            self.error("empty-expectation", whole, "nothing is said about the replicas", hint);
            return None;
        }
        let product_version = e.product_version.as_ref().map(|text| (!is_none(text)).then(|| Arc::from(text.value.as_str())));
        Some(Check::Replicas {
            computers,
            up_to_date: e.up_to_date.map(Located::into_inner),
            current: e.version.map(|version| version.value == ReplicaVersionDocument::Current),
            product_version,
        })
    }

    fn backup(&mut self, e: &BackupExpectation, whole: Span) -> Option<Check> {
        let pool = self.pool(&e.pool);
        let module = match &e.module {
            Some(name) => Some(self.module(name)?),
            None => None,
        };
        if e.export.is_empty() && e.import.is_none() && e.available.is_none() {
            let hint = Some("write `export:`, `import:` or `available:`".to_owned());
            self.error("empty-expectation", whole, "nothing is said about the backup", hint);
            return None;
        }
        Some(Check::Backup {
            pool: pool?,
            module,
            export: e.export.iter().map(|state| export_state(state.value)).collect(),
            import: e.import.map(|state| import_state(state.value)),
            available: e.available.map(Located::into_inner),
        })
    }

    fn services(&mut self, e: &ServicesExpectation) -> Option<Check> {
        let mut computers = Vec::new();
        for name in &e.on {
            let found = self.computers(name, false);
            if found.is_empty() {
                return None;
            }
            computers.extend(found);
        }
        let names: Vec<Option<_>> = e.names.iter().map(|name| self.service(name)).collect();
        let names: Option<Vec<_>> = names.into_iter().collect();
        let status = service_status(e.status.value);
        if status.is_none() && e.names.is_empty() {
            let hint = Some("write `names:`".to_owned());
            self.error("contradiction", e.status.span, "it is not said which service is not installed", hint);
            return None;
        }
        if computers.is_empty() {
            self.error("empty-list", e.status.span, "no computer is named", Some("write `on: [computer]`".to_owned()));
            return None;
        }
        Some(Check::Services { computers, names: names?, status, disabled: e.disabled.map(Located::into_inner) })
    }

    fn principal(&mut self, e: &PrincipalExpectation, whole: Span) -> Vec<(Check, Span)> {
        let Some(pool) = self.pool(&e.pool) else { return Vec::new() };
        let databases = databases(e.databases);
        let mut checks = Vec::new();
        if let Some(side) = &e.side {
            if matches!(self.topology.pool(pool).back_end, BackEnd::Mirrored { .. }) {
                let wanted = match side.value {
                    SideDocument::Primary => MirrorSide::Primary,
                    SideDocument::Mirror => MirrorSide::Mirror,
                };
                checks.push((Check::PrincipalSide { pool, databases, side: wanted }, side.span));
            } else {
                let message = format!("the back end of {} is not mirrored", quote(&self.topology.pool(pool).fqdn));
                self.error("not-mirrored", side.span, message, Some("write `instance:`".to_owned()));
            }
        }
        if let Some(name) = &e.instance {
            let instance = if is_none(name) { Some(None) } else { self.sql(name).map(Some) };
            checks.extend(instance.map(|instance| (Check::PrincipalInstance { pool, databases, instance }, name.span)));
        }
        if e.side.is_none() && e.instance.is_none() {
            let hint = Some("write `side:` or `instance:`".to_owned());
            self.error("empty-expectation", whole, "it is not said where the principal is", hint);
        }
        by_place(checks)
    }

    fn quorum(&mut self, e: &QuorumExpectation, whole: Span) -> Option<Check> {
        let pool = self.pool(&e.pool)?;
        if e.functional.is_none() && e.active.is_none() && e.without_primary.is_none() {
            let hint = Some("write `functional:`, `active:` or `without_primary:`".to_owned());
            self.error("empty-expectation", whole, "nothing is said about the quorum", hint);
            return None;
        }
        Some(Check::Quorum {
            pool,
            functional: e.functional.map(Located::into_inner),
            active: e.active.map(Located::into_inner),
            without_primary: e.without_primary.map(Located::into_inner),
        })
    }

    /// Bounds on a length of time; one of them at least.
    pub(crate) fn bounds(
        &mut self,
        at_least: Option<&Located<DurationText>>,
        at_most: Option<&Located<DurationText>>,
        whole: Span,
    ) -> Option<Bounds> {
        if at_least.is_none() && at_most.is_none() {
            let hint = Some("write `at_most:` or `at_least:`".to_owned());
            self.error("empty-expectation", whole, "no bound is given", hint);
            return None;
        }
        let mut read = |text: Option<&Located<DurationText>>| -> Option<Option<SimDuration>> {
            match text {
                None => Some(None),
                Some(text) => self.duration(text).map(Some),
            }
        };
        let (least, most) = (read(at_least), read(at_most));
        let bounds = Bounds { at_least: least?, at_most: most? };
        if let (Some(least), Some(most), Some(text)) = (bounds.at_least, bounds.at_most, at_least)
            && least > most
        {
            self.error(
                "contradiction",
                text.span,
                format!("no time is at least {least} and at most {most}"),
                Some("write the shorter time in `at_least`".to_owned()),
            );
            return None;
        }
        Some(bounds)
    }

    fn fails(&mut self, e: &ErrorExpectation) -> Option<Check> {
        if let Some(count) = e.count.filter(|count| count.value == 0) {
            let hint = Some("remove `fails:`: a step without it must not fail".to_owned());
            self.error("contradiction", count.span, "a command that fails has at least one error", hint);
            return None;
        }
        let text = |text: &Option<Located<String>>| text.as_ref().map(|text| Arc::from(text.value.as_str()));
        Some(Check::Fails(ErrorDemand {
            message: text(&e.message),
            contains: text(&e.contains),
            error_id: text(&e.error_id),
            category: text(&e.category),
            count: e.count.map(Located::into_inner),
        }))
    }

    fn text(&mut self, stream: Stream, e: &TextExpectation, whole: Span) -> Option<Check> {
        if e.is.is_none() && e.contains.is_empty() && e.lacks.is_empty() && e.matches.is_none() {
            let hint = Some("write `is:`, `contains:`, `lacks:` or `matches:`".to_owned());
            self.error("empty-expectation", whole, "nothing is said about the text", hint);
            return None;
        }
        if let Some(empty) = e.contains.iter().chain(&e.lacks).find(|part| part.value.is_empty()) {
            self.error(
                "contradiction",
                empty.span,
                "every text contains the empty text",
                Some("write what must be there, or remove this line".to_owned()),
            );
            return None;
        }
        let matches = match &e.matches {
            None => None,
            Some(expression) => match regex::RegexBuilder::new(expression).size_limit(REGEX_SIZE).build() {
                Ok(regex) => Some(regex),
                Err(error) => {
                    let reason = match &error {
                        regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
                        // The last line says what is wrong; the ones before draw it.
                        other => {
                            let text = other.to_string();
                            text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
                        }
                    };
                    let message = format!("{} is not a regular expression: {reason}", quote(expression));
                    let hint = "write `\\` before a character that stands for itself".to_owned();
                    self.error("bad-regex", expression.span, message, Some(hint));
                    return None;
                }
            },
        };
        let parts = |parts: &[Located<String>]| parts.iter().map(|part| Arc::from(part.value.as_str())).collect();
        Some(Check::Text(
            stream,
            TextDemand {
                is: e.is.as_ref().map(|text| Arc::from(text.value.as_str())),
                contains: parts(&e.contains),
                lacks: parts(&e.lacks),
                matches,
            },
        ))
    }

    fn objects(&mut self, e: &ObjectsExpectation, whole: Span) -> Option<Check> {
        if e.count.is_none() && e.all.is_empty() && e.any.is_empty() && e.none.is_empty() && e.are.is_empty() {
            let hint = Some("write `count:`, `all:`, `any:`, `none:` or `are:`".to_owned());
            self.error("empty-expectation", whole, "nothing is said about the objects", hint);
            return None;
        }
        if let Some(count) = e.count.filter(|count| !e.are.is_empty() && count.value as usize != e.are.len()) {
            let message = format!("`count` says {}, `are` lists {} objects", count.value, e.are.len());
            self.error("contradiction", count.span, message, Some("`are` lists all of them".to_owned()));
            return None;
        }
        Some(Check::Objects(ObjectsDemand {
            count: e.count.map(Located::into_inner),
            all: properties(&e.all),
            any: properties(&e.any),
            none: properties(&e.none),
            are: (!e.are.is_empty()).then(|| e.are.iter().map(properties).collect()),
        }))
    }
}

fn properties(map: &BTreeMap<Located<String>, Located<String>>) -> Properties {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(name, _)| name.span);
    entries.into_iter().map(|(name, value)| (Arc::from(name.value.as_str()), Arc::from(value.value.as_str()))).collect()
}

fn by_place(mut checks: Vec<(Check, Span)>) -> Vec<(Check, Span)> {
    checks.sort_by_key(|(_, span)| *span);
    checks
}
