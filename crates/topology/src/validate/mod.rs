//! What a deployment must be, and should be, once its names are known.

mod dns;
mod edge;
mod pairing;
mod product;

use crate::resolve::Resolver;

/// Runs all checks of the resolved deployment; problems go to the resolver's diagnostics.
pub(crate) fn validate(resolver: &mut Resolver<'_>) {
    pairing::check(resolver);
    pairing::central_management(resolver);
    product::check(resolver);
    edge::check(resolver);
    dns::check(resolver);
}
