//! Pages of lists.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_core::domain::page::{Page, PageRequest};

use crate::{extract::UserCx, problem::Problem};

/// How a list is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ListQuery {
    page: Option<u32>,
    page_size: Option<u32>,
    pub(crate) search: Option<String>,
    ordering: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) is_active: Option<bool>,
    pub(crate) is_superuser: Option<bool>,
    pub(crate) user: Option<String>,
    pub(crate) permission: Option<String>,
    pub(crate) object: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) target_kind: Option<String>,
    pub(crate) target_id: Option<String>,
    pub(crate) since: Option<String>,
    pub(crate) until: Option<String>,
    pub(crate) format: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) to: Option<String>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PageOut<T> {
    /// How many there are on all pages together.
    count: u64,
    /// Where the next page is.
    next: Option<String>,
    /// Where the page before is.
    previous: Option<String>,
    /// The ones on this page.
    results: Vec<T>,
}

impl ListQuery {
    /// The page that is asked for; `orders` are the names by which the list may be ordered, the
    /// first of them when nothing else is said.
    pub(crate) fn page<O: Copy>(
        &self,
        cx: &UserCx,
        orders: &[(&str, O)],
    ) -> Result<PageRequest<O>, Problem> {
        let largest = cx.site.settings.limits.page_size;
        self.page_within(orders, 50.min(largest), largest)
    }

    /// By what the list is to be ordered, as it was asked for; nothing where nothing was said.
    pub(crate) fn ordering(&self) -> &str {
        self.ordering.as_deref().unwrap_or_default()
    }

    /// The same with so many to a page, and at most so many.
    pub(crate) fn page_within<O: Copy>(
        &self,
        orders: &[(&str, O)],
        usual: u32,
        largest: u32,
    ) -> Result<PageRequest<O>, Problem> {
        let page = self.page.unwrap_or(1);
        if page == 0 {
            return Err(Problem::malformed_field("page", "pages are counted from 1"));
        }
        let size = self.page_size.unwrap_or(usual);
        if size == 0 || size > largest {
            let detail = format!("must be from 1 to {largest}");
            return Err(Problem::malformed_field("page_size", detail));
        }
        let wanted = self.ordering();
        let (descending, name) = match wanted.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, wanted),
        };
        let order = orders.iter().find(|(known, _)| *known == name).or(match wanted {
            "" => orders.first(),
            _ => None,
        });
        let Some((_, order)) = order else {
            let known: Vec<_> = orders.iter().map(|(name, _)| *name).collect();
            let detail = format!(
                "must be one of {} (with - in front: from last to first)",
                known.join(", ")
            );
            return Err(Problem::malformed_field("ordering", detail));
        };
        Ok(PageRequest { page, size, order: *order, descending })
    }
}

impl<T> PageOut<T> {
    /// The page as it goes over the wire. A page beyond the last is not found.
    pub(crate) fn new<O>(
        cx: &UserCx,
        request: &PageRequest<O>,
        page: Page<T>,
    ) -> Result<Self, Problem> {
        let last = page.count.div_ceil(u64::from(request.size)).max(1);
        if u64::from(request.page) > last {
            return Err(Problem::not_found("page"));
        }
        let link = |number: u32| link(cx, number);
        Ok(Self {
            count: page.count,
            next: (u64::from(request.page) < last).then(|| link(request.page + 1)),
            previous: (request.page > 1).then(|| link(request.page - 1)),
            results: page.items,
        })
    }
}

/// The same list at another page, from `base_url`.
fn link(cx: &UserCx, page: u32) -> String {
    let uri = cx.uri();
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if name != "page" {
            query.append_pair(&name, &value);
        }
    }
    query.append_pair("page", &page.to_string());
    let origin = cx.site.settings.site.base_url.origin();
    format!("{origin}{}?{}", uri.path(), query.finish())
}
