//! Programs that bring a name and a password with every request (HTTP Basic, RFC 7617), where that
//! is switched on.

use actix_web::{
    HttpRequest,
    http::{StatusCode, header},
    web,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::Instant,
};
use vestibule_core::{
    OpCx, Secret,
    ports::backend::Attempt,
    usecase::{
        login::LoginError,
        principal::Authenticated,
        programs::{Pair, PairDigest},
    },
};

use super::{anonymous, cross_site::refuse_cross_site};
use crate::{
    problem::Problem,
    routes::api::login::{even_out, refused, to_its_end},
    site::Site,
};

/// Has a program's many requests at once be verified once: whoever comes second finds it done.
#[derive(Default)]
pub(crate) struct Turns([Mutex<()>; 32]);

impl Turns {
    async fn of(&self, digest: &PairDigest) -> MutexGuard<'_, ()> {
        self.0[digest.place(self.0.len())].lock().await
    }
}

/// What the request brings, if it brings any and may.
pub(super) fn brought(req: &HttpRequest, site: &Site) -> Result<Option<Pair>, Problem> {
    if !site.settings.server.http_basic {
        return Ok(None);
    }
    let mut given = req.headers().get_all(header::AUTHORIZATION);
    let Some(value) = given.next() else { return Ok(None) };
    let Some((scheme, rest)) = value.as_bytes().split_once_at(b' ') else { return Ok(None) };
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return Ok(None);
    }
    let malformed = || Problem::malformed("Authorization: expected one `Basic` with name:password");
    if given.next().is_some() {
        return Err(malformed());
    }
    require_program(req, site)?;
    let pair = STANDARD.decode(rest.trim_ascii()).ok().and_then(read);
    pair.map(Some).ok_or_else(malformed)
}

/// Of a name, a colon and a password in UTF-8; no name has a colon or a control character.
fn read(bytes: Vec<u8>) -> Option<Pair> {
    let bytes = Secret::new(bytes);
    let (name, password) = bytes.expose().split_once_at(b':')?;
    let username = std::str::from_utf8(name).ok()?;
    let is_text = std::str::from_utf8(password).is_ok();
    let holds = is_text && !username.is_empty() && !username.chars().any(char::is_control);
    holds.then(|| Pair { username: username.to_owned(), password: Secret::new(password) })
}

trait SplitOnce {
    /// What is before the first of these bytes, and what is behind it.
    fn split_once_at(&self, byte: u8) -> Option<(&[u8], &[u8])>;
}

impl SplitOnce for [u8] {
    fn split_once_at(&self, byte: u8) -> Option<(&[u8], &[u8])> {
        let at = self.iter().position(|&own| own == byte)?;
        Some((&self[..at], &self[at + 1..]))
    }
}

/// A browser repeats such a password by itself, for whatever page makes it: from another site
/// nothing is taken, and from a browser nothing that changes anything.
fn require_program(req: &HttpRequest, site: &Site) -> Result<(), Problem> {
    refuse_cross_site(req, site)?;
    if !came_over_tls(req, site) {
        let detail = "a name and a password in the header are taken over https alone; if it was                       https, name the proxy in server.trusted_proxies";
        return Err(Problem::new(StatusCode::FORBIDDEN, "tls_required", detail));
    }
    if !req.method().is_safe() && req.headers().contains_key("sec-fetch-site") {
        let detail = "a name and a password in the header are for programs; log in to a session";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not_for_browsers", detail));
    }
    Ok(())
}

/// Whether nobody could read along. A `base_url` with http is of this machine.
fn came_over_tls(req: &HttpRequest, site: &Site) -> bool {
    if !site.settings.site.base_url.is_https() || req.app_config().secure() {
        return true;
    }
    // What speaks TLS stands in front then, on this machine or where the operator says.
    let peer = req.peer_addr().map(|peer| peer.ip().to_canonical());
    let is_in_front = peer.is_some_and(|peer| peer.is_loopback() || site.proxies.trusts(peer));
    let mut said = req.headers().get_all("x-forwarded-proto");
    is_in_front && said.all(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"))
}

/// What is remembered of the pair.
pub(super) fn recall(site: &Site, pair: &Pair) -> Option<Authenticated> {
    let programs = &site.services.programs;
    programs.recall(&programs.digest(pair)?, site.clock.now())
}

/// Has the pair judged as a login is: by the same chain, within the same limits, counted alike.
pub(super) async fn prove(req: &HttpRequest, pair: Pair) -> Result<Authenticated, Problem> {
    let (site, op) = anonymous(req)?;
    let Some(digest) = site.services.programs.digest(&pair) else {
        return Err(Problem::malformed("Authorization: the name or the password is too long"));
    };
    let judging = judged(site.clone(), op.clone(), pair, digest);
    let (began, judged) = to_its_end(judging).await??;
    even_out(&site, began, &judged).await;
    match judged {
        Ok(program) => Ok(program),
        Err(error) => Err(refused(&site, &op, error).await),
    }
}

/// What comes of it, and since when it was looked at.
async fn judged(
    site: web::Data<Site>,
    op: OpCx,
    pair: Pair,
    digest: PairDigest,
) -> Result<(Instant, Result<Authenticated, LoginError>), Problem> {
    let programs = &site.services.programs;
    let _turn = site.turns.of(&digest).await;
    let began = Instant::now();
    if let Some(known) = programs.recall(&digest, site.clock.now()) {
        return Ok((began, Ok(known)));
    }
    site.rates.login(&op.client.address, op.now())?;
    let before = programs.before(&pair, op.now()).await?;
    let attempt = Attempt::password(pair.username, pair.password);
    let judged = match site.services.login.attempt(&op, attempt, None).await {
        Ok(grant) => {
            let program = programs.admit(&op, grant, digest, before).await?;
            metrics::counter!("vestibule_logins_total", "result" => "succeeded").increment(1);
            Ok(program)
        }
        Err(error) => Err(error),
    };
    Ok((began, judged))
}
