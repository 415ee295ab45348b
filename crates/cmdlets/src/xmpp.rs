//! XMPP partners and gateway settings (dossier F.7, J 28).

use firedrill_fabric::config::{XmppAllowedPartner, XmppGatewayConfiguration};
use firedrill_powershell::command::CommandError;
use firedrill_powershell::{PsObject, Value};

use crate::commands::Command;
use crate::context::{Cx, Done, failure, like, member, number, strip_identity, texts};
use crate::settings::Settings;
use crate::shapes::Shape;
use crate::texts::{fill, text};

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("Get-CsXmppAllowedPartner", get_partner, &["Identity", "Filter", "LocalStore"]),
    Command::new(
        "New-CsXmppAllowedPartner",
        new_partner,
        &[
            "Identity",
            "Domain",
            "AdditionalDomains",
            "ConnectionLimit",
            "Description",
            "EnableKeepAlive",
            "PartnerType",
            "ProxyFqdn",
            "SaslNegotiation",
            "SupportDialbackNegotiation",
            "TlsNegotiation",
            "InMemory",
        ],
    ),
    Command::new(
        "Set-CsXmppAllowedPartner",
        set_partner,
        &[
            "Identity",
            "Instance",
            "AdditionalDomains",
            "ConnectionLimit",
            "Description",
            "EnableKeepAlive",
            "PartnerType",
            "ProxyFqdn",
            "SaslNegotiation",
            "SupportDialbackNegotiation",
            "TlsNegotiation",
        ],
    ),
    Command::new("Remove-CsXmppAllowedPartner", remove_partner, &["Identity"]),
    Command::new("Get-CsXmppGatewayConfiguration", get_gateway, &["Identity", "Filter", "LocalStore"]),
    Command::new(
        "Set-CsXmppGatewayConfiguration",
        set_gateway,
        &[
            "Identity",
            "Instance",
            "ConnectionLimit",
            "DialbackPassphrase",
            "EnableLoggingAllMessageBodies",
            "KeepAliveInterval",
            "PartnerConnectionLimit",
            "StreamEstablishmentTimeout",
            "StreamInactivityTimeout",
            "SubscriptionRefreshInterval",
        ],
    ),
];

/// Dossier F.7.
pub(crate) static PARTNER: Shape = Shape::new(
    "Microsoft.Rtc.Management.WritableConfig.Settings.XmppFederation.XmppAllowedPartner#Decorated",
    &[
        "Identity",
        "Domain",
        "TlsNegotiation",
        "SaslNegotiation",
        "SupportDialbackNegotiation",
        "EnableKeepAlive",
        "PartnerType",
        "AdditionalDomains",
        "ConnectionLimit",
        "Description",
        "ProxyFqdn",
    ],
);
/// Dossier F.7.
pub(crate) static GATEWAY: Shape = Shape::new(
    "Microsoft.Rtc.Management.WritableConfig.Settings.XmppFederation.XmppGatewaySettings",
    &[
        "Identity",
        "StreamEstablishmentTimeout",
        "StreamInactivityTimeout",
        "ConnectionLimit",
        "PartnerConnectionLimit",
        "KeepAliveInterval",
        "SubscriptionRefreshInterval",
        "DialbackPassphrase",
        "EnableLoggingAllMessageBodies",
    ],
);

/// Where the values are kept as text, they are members of these enumerations outside.
fn choice(kind: &str, name: &str) -> Value {
    const MEMBERS: &[&str] = &["NotSupported", "Optional", "Required", "Federated", "PublicVerified", "PublicUnverified"];
    let number = MEMBERS.iter().position(|known| *known == name).map_or(0, |index| index as i64 % 3);
    member(&format!("Microsoft.Rtc.Management.WritableConfig.Settings.XmppFederation.{kind}"), name, number)
}

fn partner_object(partner: &XmppAllowedPartner) -> PsObject {
    PARTNER
        .object(vec![
            Value::str(partner.domain.as_str()),
            Value::str(partner.domain.as_str()),
            choice("TlsNegotiation", &partner.tls_negotiation),
            choice("SaslNegotiation", &partner.sasl_negotiation),
            Value::Bool(partner.support_dialback_negotiation),
            Value::Bool(partner.enable_keep_alive),
            choice("PartnerType", &partner.partner_type),
            texts(partner.additional_domains.iter().map(String::as_str)),
            partner.connection_limit.map(number).unwrap_or(Value::Null),
            partner.description.as_deref().into(),
            partner.proxy_fqdn.as_deref().into(),
        ])
        .with_text(partner.domain.as_str())
}

fn get_partner(cx: &mut Cx<'_>) -> Done {
    let configuration = cx.store()?;
    let identity = cx.text("Identity");
    let filter = cx.text("Filter");
    let mut found = 0;
    for partner in configuration.xmpp_partners.values() {
        let exact = identity.as_ref().is_none_or(|identity| partner.domain.eq_ignore_ascii_case(identity));
        if exact && filter.as_ref().is_none_or(|filter| like(filter, &partner.domain)) {
            found += 1;
            cx.output(partner_object(partner));
        }
    }
    if let (0, Some(identity)) = (found, identity) {
        let error = cx.not_found("XMPP allowed partner", &identity);
        cx.error(error);
    }
    Ok(())
}

fn apply(settings: &Settings, partner: &mut XmppAllowedPartner) {
    let text = |name: &str| settings.text(name).map(|text| text.to_string());
    partner.partner_type = text("PartnerType").unwrap_or_else(|| partner.partner_type.clone());
    partner.sasl_negotiation = text("SaslNegotiation").unwrap_or_else(|| partner.sasl_negotiation.clone());
    partner.tls_negotiation = text("TlsNegotiation").unwrap_or_else(|| partner.tls_negotiation.clone());
    partner.support_dialback_negotiation = settings.flag("SupportDialbackNegotiation").unwrap_or(partner.support_dialback_negotiation);
    partner.enable_keep_alive = settings.flag("EnableKeepAlive").unwrap_or(partner.enable_keep_alive);
    partner.additional_domains =
        settings.list("AdditionalDomains", &partner.additional_domains).unwrap_or_else(|| partner.additional_domains.clone());
    partner.connection_limit = settings.unsigned("ConnectionLimit").or(partner.connection_limit);
    partner.proxy_fqdn = text("ProxyFqdn").or_else(|| partner.proxy_fqdn.clone());
    partner.description = text("Description").or_else(|| partner.description.clone());
}

fn new_partner(cx: &mut Cx<'_>) -> Done {
    let settings = Settings::new(cx);
    let domain = settings.text("Domain").or_else(|| settings.text("Identity")).unwrap_or_default().to_ascii_lowercase();
    let mut partner = XmppAllowedPartner::with_defaults(domain.clone());
    apply(&settings, &mut partner);
    if cx.switch("InMemory") {
        cx.output(partner_object(&partner));
        return Ok(());
    }
    if cx.store()?.xmpp_partners.contains_key(&domain) {
        return Err(failure(
            fill(text::PARTNER_EXISTS, &[&domain]),
            "PartnerExists",
            "ResourceExists",
            "Microsoft.Rtc.Management.ManagementException",
            Value::str(domain),
        ));
    }
    if !cx.proceed(&domain)? {
        return Ok(());
    }
    let object = partner_object(&partner);
    cx.edit(|configuration| {
        configuration.xmpp_partners.insert(domain, partner);
        Ok(())
    })?;
    cx.output(object);
    Ok(())
}

/// The domain that `-Identity` or the piped object names, when there is such a partner.
fn existing(cx: &Cx<'_>, settings: &Settings) -> Result<XmppAllowedPartner, Box<CommandError>> {
    let identity = settings.text("Identity").unwrap_or_default().to_ascii_lowercase();
    let store = cx.store()?;
    store.xmpp_partners.get(&identity).cloned().ok_or_else(|| cx.not_found("XMPP allowed partner", &identity))
}

fn set_partner(cx: &mut Cx<'_>) -> Done {
    let settings = Settings::new(cx);
    let mut partner = existing(cx, &settings)?;
    apply(&settings, &mut partner);
    let domain = partner.domain.clone();
    if !cx.proceed(&domain)? {
        return Ok(());
    }
    cx.edit(|configuration| {
        configuration.xmpp_partners.insert(domain, partner);
        Ok(())
    })
}

fn remove_partner(cx: &mut Cx<'_>) -> Done {
    let settings = Settings::new(cx);
    let domain = existing(cx, &settings)?.domain;
    if !cx.proceed(&domain)? {
        return Ok(());
    }
    cx.edit(|configuration| {
        configuration.xmpp_partners.remove(&domain);
        Ok(())
    })
}

fn is_global(identity: &str) -> bool {
    strip_identity(identity, &[]).eq_ignore_ascii_case("Global")
}

fn get_gateway(cx: &mut Cx<'_>) -> Done {
    let configuration = cx.store()?;
    if let Some(identity) = cx.text("Identity")
        && !is_global(&identity)
    {
        let error = cx.not_found("configuration", &identity);
        cx.error(error);
        return Ok(());
    }
    if cx.text("Filter").is_some_and(|filter| !like(&filter, "Global")) {
        return Ok(());
    }
    cx.output(gateway_object(&configuration.xmpp_gateway));
    Ok(())
}

fn gateway_object(gateway: &XmppGatewayConfiguration) -> PsObject {
    GATEWAY
        .object(vec![
            Value::str("Global"),
            number(gateway.stream_establishment_timeout),
            number(gateway.stream_inactivity_timeout),
            gateway.connection_limit.map(number).unwrap_or(Value::Null),
            number(gateway.partner_connection_limit),
            number(gateway.keep_alive_interval),
            number(gateway.subscription_refresh_interval),
            gateway.dialback_passphrase.as_deref().into(),
            Value::Bool(gateway.enable_logging_all_message_bodies),
        ])
        .with_text("Global")
}

fn set_gateway(cx: &mut Cx<'_>) -> Done {
    let settings = Settings::new(cx);
    if let Some(identity) = settings.text("Identity")
        && !is_global(&identity)
    {
        return Err(cx.not_found("configuration", &identity));
    }
    if !cx.proceed("Global")? {
        return Ok(());
    }
    cx.edit(|configuration| {
        let gateway = &mut configuration.xmpp_gateway;
        let update = |name: &str, slot: &mut u32| *slot = settings.unsigned(name).unwrap_or(*slot);
        update("KeepAliveInterval", &mut gateway.keep_alive_interval);
        update("PartnerConnectionLimit", &mut gateway.partner_connection_limit);
        update("StreamEstablishmentTimeout", &mut gateway.stream_establishment_timeout);
        update("StreamInactivityTimeout", &mut gateway.stream_inactivity_timeout);
        update("SubscriptionRefreshInterval", &mut gateway.subscription_refresh_interval);
        gateway.connection_limit = settings.unsigned("ConnectionLimit").or(gateway.connection_limit);
        gateway.dialback_passphrase =
            settings.text("DialbackPassphrase").map(|text| text.to_string()).or_else(|| gateway.dialback_passphrase.clone());
        gateway.enable_logging_all_message_bodies =
            settings.flag("EnableLoggingAllMessageBodies").unwrap_or(gateway.enable_logging_all_message_bodies);
        Ok(())
    })
}
