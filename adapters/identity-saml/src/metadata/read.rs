use domain::ports::{ProviderError, ProviderFault};
use domain::time::{Lifetime, Timestamp};
use outbound_http::check_address;

use crate::config::SamlBinding;
use crate::keys::{TrustedKeys, read_certificates};
use crate::signature::{signatures_of, verify};
use crate::xml::{
    DSIG, METADATA, METADATA_NS, Node, POST, PROTOCOL, REDIRECT, Tree, parse_duration, parse_time,
};

/// Groups of entities within one another that are looked through.
const DEEPEST: usize = 4;

/// Where a provider takes a kind of message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// By the browser's address.
    pub redirect: Option<String>,
    /// By a form.
    pub post: Option<String>,
}

impl Endpoint {
    /// Where to, by the binding that is wanted if there is one of it, else by the other.
    pub fn by(&self, wanted: SamlBinding) -> Option<(SamlBinding, &str)> {
        let redirect = self.redirect.as_deref().map(|url| (SamlBinding::Redirect, url));
        let post = self.post.as_deref().map(|url| (SamlBinding::Post, url));
        match wanted {
            SamlBinding::Redirect => redirect.or(post),
            SamlBinding::Post => post.or(redirect),
        }
    }
}

/// What is known of a provider.
#[derive(Clone, Debug)]
pub struct IdpDescription {
    /// Its name, within which its people's names are unique.
    pub entity_id: String,
    /// What it may sign with.
    pub keys: TrustedKeys,
    /// Where it takes `AuthnRequest`s.
    pub sign_on: Endpoint,
    /// Where it takes `LogoutRequest`s.
    pub logout: Endpoint,
    /// Where it takes `LogoutResponse`s.
    pub logout_answers: Endpoint,
    /// Whether it takes signed requests only.
    pub wants_signed_requests: bool,
    /// Until when this is so.
    pub valid_until: Option<Timestamp>,
    /// How long it may be believed without asking again.
    pub cache_duration: Option<Lifetime>,
}

/// Reads the metadata of a provider: of the one called `entity_id`, where there are several. With `signers`, it must be signed by one
/// of them.
pub fn read_metadata(
    text: &str,
    entity_id: Option<&str>,
    signers: &TrustedKeys,
) -> Result<IdpDescription, ProviderError> {
    let tree = Tree::parse(text, &METADATA).map_err(|fault| invalid(fault.0))?;
    let root = tree.root();
    if !signers.is_empty() {
        judge_signature(&tree, signers)?;
    }
    let mut path = Vec::new();
    let entity = find(root, entity_id, &mut path)?;
    let mut roles = entity.all(METADATA_NS, "IDPSSODescriptor").filter(|role| {
        let protocols = role.attribute("protocolSupportEnumeration").unwrap_or_default();
        protocols
            .split_ascii_whitespace()
            .any(|protocol| protocol == PROTOCOL)
    });
    let (role, more) = (roles.next(), roles.next());
    let role = role.filter(|_| more.is_none());
    let role = role.ok_or_else(|| invalid("there is not exactly one identity provider of SAML 2.0 in it"))?;
    path.push(role);
    let name = entity
        .attribute("entityID")
        .filter(|name| !name.is_empty() && name.len() <= 1024);
    let description = IdpDescription {
        entity_id: name.ok_or_else(|| invalid("it has no entityID"))?.to_owned(),
        keys: signing_keys(role)?,
        sign_on: endpoint(role, "SingleSignOnService", "Location"),
        logout: endpoint(role, "SingleLogoutService", "Location"),
        logout_answers: endpoint(role, "SingleLogoutService", "ResponseLocation"),
        wants_signed_requests: matches!(role.attribute("WantAuthnRequestsSigned"), Some("true" | "1")),
        valid_until: valid_until(&path)?,
        cache_duration: path
            .iter()
            .filter_map(|node| node.attribute("cacheDuration").and_then(parse_duration))
            .min(),
    };
    if description.sign_on == Endpoint::default() {
        return Err(invalid(
            "it has no SingleSignOnService by HTTP-Redirect or HTTP-POST, over https",
        ));
    }
    Ok(description)
}

fn invalid(detail: impl Into<String>) -> ProviderError {
    ProviderError::refused(ProviderFault::MetadataInvalid, detail)
}

fn judge_signature(tree: &Tree, signers: &TrustedKeys) -> Result<(), ProviderError> {
    let holds = || {
        let signed = signatures_of(tree, &[tree.root()])?;
        let proofs = verify(tree, &signed, signers)?;
        Ok::<bool, ProviderError>(proofs.of(tree.root()).is_some())
    };
    match holds() {
        Ok(true) => Ok(()),
        _ => Err(invalid("it is not signed by metadataCert")),
    }
}

/// The entity that is meant, and by `path` the elements around it: their times hold for it too.
fn find<'t>(
    node: Node<'t>,
    entity_id: Option<&str>,
    path: &mut Vec<Node<'t>>,
) -> Result<Node<'t>, ProviderError> {
    if node.is(METADATA_NS, "EntityDescriptor") {
        if entity_id.is_some_and(|wanted| node.attribute("entityID") != Some(wanted)) {
            return Err(invalid("it is of another provider than idpIssuer says"));
        }
        path.push(node);
        return Ok(node);
    }
    let Some(wanted) = entity_id else {
        return Err(invalid(
            "it is no EntityDescriptor: of several, idpIssuer says which",
        ));
    };
    let mut ways = vec![vec![node]];
    while let Some(way) = ways.pop() {
        let Some(last) = way
            .last()
            .filter(|last| last.is(METADATA_NS, "EntitiesDescriptor"))
        else {
            continue;
        };
        for child in last.elements() {
            let further: Vec<Node<'t>> = way.iter().copied().chain([child]).collect();
            if child.is(METADATA_NS, "EntityDescriptor") && child.attribute("entityID") == Some(wanted) {
                *path = further;
                return Ok(child);
            }
            if further.len() <= DEEPEST {
                ways.push(further);
            }
        }
    }
    Err(invalid("the provider that idpIssuer names is not in it"))
}

/// The keys of all signing certificates: a provider that changes its key announces the next one beside the old.
fn signing_keys(role: Node<'_>) -> Result<TrustedKeys, ProviderError> {
    let mut certificates = Vec::new();
    for descriptor in role.all(METADATA_NS, "KeyDescriptor") {
        if !matches!(descriptor.attribute("use"), None | Some("signing")) {
            continue;
        }
        let infos = descriptor.all(DSIG, "KeyInfo");
        let data = infos.flat_map(|info| info.all(DSIG, "X509Data"));
        for certificate in data.flat_map(|data| data.all(DSIG, "X509Certificate")) {
            let read = read_certificates(&certificate.text()).map_err(invalid)?;
            certificates.extend(
                read.into_iter()
                    .filter(|der| !certificates.contains(der))
                    .collect::<Vec<_>>(),
            );
        }
    }
    if certificates.is_empty() {
        return Err(invalid("it has no certificate for signing"));
    }
    TrustedKeys::of(&certificates).map_err(invalid)
}

/// The places by binding; one that is not https, or on this machine, is none.
fn endpoint(role: Node<'_>, service: &'static str, attribute: &str) -> Endpoint {
    let of = |binding: &str| {
        let mut all = role
            .all(METADATA_NS, service)
            .filter(|node| node.attribute("Binding") == Some(binding));
        let place = all.find_map(|node| node.attribute(attribute).or_else(|| node.attribute("Location")));
        place.filter(|url| check_address(url).is_ok()).map(str::to_owned)
    };
    Endpoint {
        redirect: of(REDIRECT),
        post: of(POST),
    }
}

fn valid_until(path: &[Node<'_>]) -> Result<Option<Timestamp>, ProviderError> {
    let given = path.iter().filter_map(|node| node.attribute("validUntil"));
    let read: Option<Vec<Timestamp>> = given.map(parse_time).collect();
    let read = read.ok_or_else(|| invalid("its validUntil cannot be read"))?;
    Ok(read.into_iter().min())
}
