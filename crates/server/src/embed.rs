//! Vestibule within another service's actix-web application.

use std::{path::Path, sync::Arc, thread};

use actix_web::{middleware::from_fn, web};
use vestibule_core::{
    Clock, Entropy, OpCx, SystemClock, SystemEntropy,
    domain::{announcement::Words, level::Action, object::DeleteRule},
    id::{NoticeId, UserId},
    ports::backend::{Backend, BackendFactory},
    usecase::{
        error::{AdminError, AdminResult},
        login::Door,
        permissions::Registration,
    },
};
use vestibule_mail::transport::Transport;

use crate::{
    compose::{BuildError, Parts, compose},
    config::{Settings, Sources},
    doors,
    gate::gate,
    jobs::Jobs,
    pages,
    problem::{Problem, wants_page},
    routes,
    site::Site,
};

/// Users, groups, permissions and sessions for an actix-web application. Cheap to clone; made by
/// [`Vestibule::builder`].
#[derive(Clone)]
pub struct Vestibule {
    site: web::Data<Site>,
    jobs: Arc<Jobs>,
}

/// Puts a [`Vestibule`] together.
pub struct Builder {
    settings: Result<Settings, crate::config::ConfigError>,
    storage: Option<String>,
    doors: Vec<Door>,
    transport: Option<Box<dyn Transport>>,
    factories: Vec<Arc<dyn BackendFactory>>,
    registrations: Vec<(String, Registration)>,
    delete_rules: Vec<(String, DeleteRule)>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    migrate: bool,
}

impl Vestibule {
    /// Begins with the built-in defaults and no backend.
    pub fn builder() -> Builder {
        Builder {
            settings: Settings::load(&Sources::new(None, [])),
            storage: None,
            doors: Vec::new(),
            transport: None,
            factories: Vec::new(),
            registrations: Vec::new(),
            delete_rules: Vec::new(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            migrate: true,
        }
    }

    /// What `App::configure` takes: the API and the pages below a prefix of the application's
    /// choice, and the extractors and guards everywhere. Mount it before a catch-all of your own.
    ///
    /// # Panics
    /// When it is mounted at two different prefixes, or at one that does not begin with a slash:
    /// links and redirects can lead to one place only.
    pub fn mount(&self, prefix: &str) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
        let (site, prefix) = (self.site.clone(), prefix.trim_end_matches('/').to_owned());
        assert!(prefix.is_empty() || prefix.starts_with('/'), "a prefix begins with a slash");
        assert_eq!(
            site.mounted.get_or_init(|| prefix.clone()),
            &prefix,
            "Vestibule is mounted at one prefix"
        );
        move |cfg| {
            cfg.app_data(site);
            cfg.service(
                web::scope(&prefix)
                    .wrap(from_fn(gate))
                    .configure(routes::api::register)
                    .configure(routes::ops::register)
                    .configure(routes::backend::register)
                    .configure(pages::register)
                    .default_service(web::to(nothing_here)),
            );
        }
    }

    /// What handlers see: the use cases, for a service that calls them itself.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The site, shared.
    pub fn data(&self) -> web::Data<Site> {
        self.site.clone()
    }

    /// A context for work that the service does by itself.
    pub fn job_cx(&self, name: &'static str) -> OpCx {
        OpCx::for_job(name, Arc::clone(&self.site.clock), Arc::clone(&self.site.entropy))
    }

    /// A one-time link that makes the first superuser, for a site mounted at this prefix; `None`
    /// when there has been one.
    pub async fn first_superuser_link(
        &self,
        prefix: &str,
    ) -> Result<Option<String>, vestibule_core::ports::store::StoreError> {
        let token = self.site.services.bootstrap.link_token(&self.job_cx("first start")).await?;
        let origin = self.site.settings.site.base_url.origin();
        Ok(token.map(|token| {
            format!("{origin}{prefix}/setup/{}", token.expose_str().unwrap_or_default())
        }))
    }

    /// Mails one of the service's own people that what they began has finished, say, or failed.
    /// `link` leads to a page of this site: a path such as `/runs/7`, or a whole address at
    /// `site.base_url`. Answers which mail it is in the outbox; `None`, and no error, when there is
    /// no address to send it to or the account cannot be used. It waits for no mail server, and
    /// never goes before mails that people wait for.
    pub async fn notify(
        &self,
        user: UserId,
        subject: &str,
        text: &str,
        link: Option<&str>,
    ) -> AdminResult<Option<NoticeId>> {
        let words = Words::parse(subject, text)?;
        let link = link.map(|link| self.page(link)).transpose()?;
        let cx = self.job_cx("service");
        self.site.services.notices.send(&cx, user, words, link).await
    }

    /// The whole address of a page of this site, and of no other.
    fn page(&self, link: &str) -> AdminResult<String> {
        let origin = self.site.settings.site.base_url.origin();
        let own = url::Url::parse(origin).and_then(|own| Ok((own.join(link)?, own)));
        match own {
            Ok((page, own)) if page.origin() == own.origin() && page.username().is_empty() => {
                Ok(page.into())
            }
            _ => Err(AdminError::field("link", "elsewhere", "leads to another site")),
        }
    }

    /// Ends the background work and waits until what is due is written down.
    pub async fn shut_down(&self) {
        self.jobs.stop(&self.site).await;
    }
}

impl Builder {
    /// Takes all settings from a `vestibule.toml` and the environment, as the binary does.
    #[must_use]
    pub fn config(mut self, file: &Path) -> Self {
        let environment = std::env::vars_os();
        self.settings = Settings::load(&Sources::new(Some(file.to_owned()), environment));
        self
    }

    /// Takes settings that were loaded already.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = Ok(settings);
        self
    }

    /// Where accounts are kept: `sqlite:site.db`, `postgres://…`, `mysql://…`.
    #[must_use]
    pub fn storage(mut self, url: &str) -> Self {
        self.storage = Some(url.to_owned());
        self
    }

    /// Adds a way to log in; they are asked in the order in which they were added.
    #[must_use]
    pub fn backend(self, backend: impl Backend + 'static) -> Self {
        self.door(Door::new(Arc::new(backend)))
    }

    /// Adds a way to log in, with what its answers mean and whom it may make accounts for.
    #[must_use]
    pub fn door(mut self, door: Door) -> Self {
        self.doors.push(door);
        self
    }

    /// Sends mail another way than `[mail]` says.
    #[must_use]
    pub fn mail_transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Some(Box::new(transport));
        self
    }

    /// Adds a kind of backend that a `[[backend]]` of the configuration may name.
    #[must_use]
    pub fn backend_kind(mut self, factory: impl BackendFactory + 'static) -> Self {
        self.factories.push(Arc::new(factory));
        self
    }

    /// Registers a permission that the service checks.
    #[must_use]
    pub fn permission(mut self, code: &str, description: &str) -> Self {
        let registration =
            Registration { code: code.to_owned(), description: description.to_owned(), on: None };
        self.registrations.push((service_of(code), registration));
        self
    }

    /// Registers a permission for an action on a kind of object: owners, members of the owning
    /// group and its managers then have it as the object's sharing level says.
    #[must_use]
    pub fn object_permission(
        mut self,
        code: &str,
        description: &str,
        kind: &str,
        action: Action,
    ) -> Self {
        let on = Some((kind.to_owned(), action));
        let registration =
            Registration { code: code.to_owned(), description: description.to_owned(), on };
        self.registrations.push((service_of(code), registration));
        self
    }

    /// Says who may delete objects of a kind.
    #[must_use]
    pub fn delete_rule(mut self, kind: &str, rule: DeleteRule) -> Self {
        self.delete_rules.push((kind.to_owned(), rule));
        self
    }

    /// Takes the time from another clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Whether a database that is behind is brought up to date (it is, when nothing is said).
    #[must_use]
    pub fn migrate(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }

    /// Opens the database, registers the permissions and begins the background work. Everything
    /// that is wrong with the set-up is told here and not at the first request.
    pub async fn build(self) -> Result<Vestibule, BuildError> {
        let settings = self.settings?;
        let mut doors = self.doors;
        doors.extend(doors::from_settings(&settings, &self.factories)?);
        doors::require_sound(&doors)?;
        doors::require_proxies(&doors, &settings.server.trusted_proxies)?;
        let parts = Parts {
            storage: self.storage,
            transport: self.transport,
            doors: doors.into_iter().map(doors::guarded).collect(),
            clock: self.clock,
            entropy: self.entropy,
            migrate: self.migrate,
        };
        let site = web::Data::new(compose(settings, parts).await?);
        register(&site, self.registrations, self.delete_rules).await?;
        let jobs = Arc::new(Jobs::begin(&site)?);
        Ok(Vestibule { site, jobs })
    }
}

/// Registers what the service checks, service by service.
async fn register(
    site: &Site,
    registrations: Vec<(String, Registration)>,
    delete_rules: Vec<(String, DeleteRule)>,
) -> Result<(), BuildError> {
    let cx = OpCx::for_job("start", Arc::clone(&site.clock), Arc::clone(&site.entropy));
    let mut by_service = std::collections::BTreeMap::<String, Vec<Registration>>::new();
    for (service, registration) in registrations {
        by_service.entry(service).or_default().push(registration);
    }
    let permissions = &site.services.permissions;
    for (service, registrations) in by_service {
        permissions.register(&cx, &service, registrations, Vec::new()).await?;
    }
    permissions.register(&cx, "service", Vec::new(), delete_rules).await?;
    Ok(())
}

fn service_of(code: &str) -> String {
    code.split('.').next().unwrap_or_default().to_owned()
}

async fn nothing_here(req: actix_web::HttpRequest) -> Result<actix_web::HttpResponse, Problem> {
    match Site::of(&req).filter(|site| wants_page(&req, site)) {
        Some(site) => Ok(crate::pages::nothing_here(site)),
        None => Err(Problem::not_found("page")),
    }
}

/// A thread of its own with a name.
pub(crate) fn spawn(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> std::io::Result<thread::JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(work)
}
