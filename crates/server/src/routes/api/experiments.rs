//! What the facility's user office says of whoever asks, and of nobody else.

use actix_web::HttpResponse;
use vestibule_auth::backends::user_office::{Asking, Listed};
use vestibule_core::{domain::page::Page, ports::backend::Fault};

use crate::{
    dto::{
        experiment::{AuthorizationOut, ExperimentOut},
        list::{ListQuery, PageOut},
    },
    extract::UserCx,
    office::name_there,
    problem::Problem,
};

/// The names by which the office orders experiments; its own order when nothing is said.
const ORDERS: &[(&str, ())] =
    &[("proposal_id", ()), ("subject", ()), ("body", ()), ("beam_line", ())];
/// The most experiments to a page.
const LARGEST: u32 = 20;
/// The most characters that are looked for.
const LONGEST: usize = 200;

pub(super) async fn list(cx: UserCx) -> Result<HttpResponse, Problem> {
    let query: ListQuery = cx.query()?;
    let settings = &cx.site.settings.user_office;
    let request = query.page_within(ORDERS, settings.page_size, LARGEST)?;
    let search = query.search.as_deref().unwrap_or_default();
    if search.chars().count() > LONGEST {
        return Err(Problem::malformed_field("search", format!("at most {LONGEST} characters")));
    }
    if !cx.site.office.lists_experiments() {
        return Err(Problem::not_found(
            "list of experiments: user_office.experiments_url is not set",
        ));
    }
    let (page, page_size) = (request.page, request.size);
    let asking = Asking { page, page_size, search, ordering: query.ordering() };
    let listed = match name_there(&cx).await? {
        Some(name) => cx.site.office.experiments(&name, &asking).await.map_err(unavailable)?,
        None => Listed::Nothing,
    };
    // Whoever is not known there has no experiments; who is has no more pages than there are.
    let page = match listed {
        Listed::Page { count, results } => Page { count, items: results },
        Listed::Nothing => Page { count: 0, items: Vec::new() },
    };
    let page = page.map(ExperimentOut::from);
    Ok(HttpResponse::Ok().json(PageOut::new(&cx, &request, page)?))
}

pub(super) async fn authorization(cx: UserCx) -> Result<HttpResponse, Problem> {
    let answer = match name_there(&cx).await? {
        Some(name) => cx.site.office.is_authorized(&name).await,
        // Where everybody may come in, it matters to nobody who somebody is.
        None if cx.site.office.lets_everybody_in() => Ok(true),
        None => Err(Fault::Misconfigured("nobody made sure of the name there".to_owned())),
    };
    let result = answer.unwrap_or_else(|fault| {
        let user = cx.op.actor.name();
        tracing::warn!(target: "vestibule::backend", %user, %fault, "authorization is denied");
        false
    });
    Ok(HttpResponse::Ok().json(AuthorizationOut { result }))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn unavailable(fault: Fault) -> Problem {
    Problem::later("user_office_unavailable", fault.retry_after())
}
