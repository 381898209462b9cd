//! `vestibule check`: a look before it is needed, one line to a finding.

use serde::Serialize;
use vestibule_auth::backends::ShibbolethFactory;
use vestibule_core::usecase::login::Door;

use super::{
    CliError, Global, backend::configured, hall::block_on, output::Out, service_provider,
    with_causes,
};
use crate::{
    compose::store_options,
    config::{MailTransport, PasswordScheme, RateLimit, RegistrationMode, Settings, load},
    doors, mail, office,
};

/// Looks at configuration and database; with --deploy at the deployment's weak spots too.
#[derive(clap::Args)]
pub(crate) struct CheckArgs {
    /// Look for what is fit for a desk but not for the open
    #[arg(long)]
    deploy: bool,
}

/// One line of the report.
#[derive(Serialize)]
struct Finding {
    /// A stable name: `vst.E001`; E for what does not work, W for what is unwise, I for what is well.
    id: &'static str,
    /// `error`, `warning` or `ok`.
    severity: &'static str,
    what: String,
    hint: &'static str,
}

pub(super) fn run(global: &Global, args: &CheckArgs, out: &mut Out) -> Result<u8, CliError> {
    let loaded = load(&global.sources())?;
    let settings = &loaded.settings;
    let mut findings = vec![Finding {
        id: "vst.I001",
        severity: "ok",
        what: match &loaded.file {
            Some(file) => format!("the configuration holds ({})", file.display()),
            None => "the configuration holds (built-in defaults, no file)".to_owned(),
        },
        hint: "",
    }];
    findings.extend(backends(settings));
    findings.extend(user_office(settings));
    findings.push(database(settings));
    findings.extend(mailing(settings));
    if args.deploy {
        findings.extend(deployment(settings));
        findings.extend(single_sign_on(settings));
    }
    out.records(&findings, &["id", "severity", "what", "hint"])?;
    Ok(u8::from(findings.iter().any(|finding| finding.severity == "error")))
}

/// Whether the backends make a way in, who of them sees what, and whether they answer.
fn backends(settings: &Settings) -> Vec<Finding> {
    let wrong = doors::problems(settings);
    if !wrong.is_empty() {
        let finding =
            |what| Finding { id: "vst.E003", severity: "error", what, hint: "[[backend]]" };
        return wrong.into_iter().map(finding).collect();
    }
    let doors = match configured(settings) {
        Ok(doors) => doors,
        Err(error) => {
            let what = error.to_string();
            return vec![Finding { id: "vst.E003", severity: "error", what, hint: "[[backend]]" }];
        }
    };
    let keeps_out = keeps_out(settings, &doors);
    let each = |door| std::iter::once(seen_by(door)).chain(answer_of(door));
    doors.iter().flat_map(each).chain(keeps_out).collect()
}

/// Of backends that are asked about people by name, where people choose their names.
fn keeps_out<'a>(
    settings: &'a Settings,
    doors: &'a [Door],
) -> impl Iterator<Item = Finding> + use<'a> {
    let is_chosen = settings.registration.mode != RegistrationMode::Closed;
    let judges = move |door: &&Door| is_chosen && door.only_entitles() && door.must_verify();
    doors.iter().filter(judges).map(|door| Finding {
        id: "vst.W007",
        severity: "warning",
        what: format!(
            "people may register under names of their choice, so backend {} is not asked by them \
             and lets in nobody who is not linked there, superusers neither",
            door.name()
        ),
        hint: "registration.mode = \"closed\", or another control",
    })
}

fn seen_by(door: &Door) -> Finding {
    let what = doors::who_sees_what(door);
    Finding { id: "vst.I003", severity: "ok", what, hint: "" }
}

/// Of one that can be asked without anybody's credential.
fn answer_of(door: &Door) -> Option<Finding> {
    let probe = door.backend.probe()?;
    let looked = block_on(async { Ok::<_, CliError>(probe.look().await) });
    let (name, what) = (door.name(), looked.map_err(|error| error.to_string()));
    Some(
        match what.and_then(|found| found.map_err(|fault| format!("{}: {fault}", fault.as_str()))) {
            Ok(found) => Finding {
                id: "vst.I007",
                severity: "ok",
                what: format!("backend {name} answers: {found}"),
                hint: "",
            },
            Err(reason) => Finding {
                id: "vst.E007",
                severity: "error",
                what: format!("backend {name} does not answer: {reason}"),
                hint: "[[backend]]",
            },
        },
    )
}

/// Whether the user office can be asked as it is configured.
fn user_office(settings: &Settings) -> Option<Finding> {
    let error = office::desk(settings).err()?;
    let what = format!("user_office.{error}");
    Some(Finding { id: "vst.E005", severity: "error", what, hint: "[user_office]" })
}

fn database(settings: &Settings) -> Finding {
    let url = &settings.storage.url;
    let options = store_options(settings);
    match vestibule_storage::open(url.expose(), &options) {
        Ok(_) => Finding {
            id: "vst.I002",
            severity: "ok",
            what: format!("the database answers and is up to date ({url})"),
            hint: "",
        },
        Err(error) => Finding {
            id: "vst.E002",
            severity: "error",
            what: format!("{url}: {}", with_causes(&error)),
            hint: "storage.url, or `vestibule migrate`",
        },
    }
}

/// Whether mail could be sent, and how it would look.
fn mailing(settings: &Settings) -> Vec<Finding> {
    let asked = mail::office(settings).map_err(|error| with_causes(&error)).and_then(|office| {
        let found = block_on(async { Ok(office.transport().probe().await) });
        let found = found.map_err(|error: CliError| error.to_string())?;
        Ok((found.map_err(|failure| failure.to_string())?, office.template_problems()))
    });
    let (found, problems) = match asked {
        Ok(asked) => asked,
        Err(reason) => {
            let what = format!("mail cannot be sent: {reason}");
            return vec![Finding { id: "vst.E004", severity: "error", what, hint: "[mail]" }];
        }
    };
    let broken = problems.into_iter().map(|problem| Finding {
        id: "vst.W004",
        severity: "warning",
        what: format!("the mail template {problem}"),
        hint: "until then the built-in one is used",
    });
    let well = Finding { id: "vst.I004", severity: "ok", what: found, hint: "" };
    std::iter::once(well).chain(broken).collect()
}

fn deployment(settings: &Settings) -> impl Iterator<Item = Finding> {
    let warn = |id, weak: bool, what: &str, hint| {
        weak.then(|| Finding { id, severity: "warning", what: what.to_owned(), hint })
    };
    let unlimited = |rate: RateLimit| rate == RateLimit::Unlimited;
    let limits = &settings.limits;
    let listens_beyond_loopback = !settings.server.listen.ip().is_loopback();
    [
        warn(
            "vst.W101",
            !settings.site.base_url.is_https(),
            "site.base_url is http: cookies are not marked Secure",
            "set site.base_url to the https address people use",
        ),
        warn(
            "vst.W102",
            listens_beyond_loopback,
            "server.listen is reachable from other machines, without TLS",
            "listen on loopback behind a proxy that speaks TLS",
        ),
        warn(
            "vst.W103",
            settings.site.base_url.is_https() && settings.server.trusted_proxies.is_empty(),
            "behind a proxy every client has the proxy's address: they share one rate",
            "name the proxy in server.trusted_proxies",
        ),
        warn(
            "vst.W104",
            settings.password.pepper.is_none(),
            "without a pepper a stolen database can be guessed at offline",
            "set password.pepper_file",
        ),
        warn(
            "vst.W105",
            settings.password.min_length < 15,
            "password.min_length is below 15 (NIST SP 800-63B-4, without a second factor)",
            "unset password.min_length",
        ),
        warn(
            "vst.W106",
            settings.password.scheme == PasswordScheme::Bcrypt,
            "bcrypt is cheaper to attack than argon2id",
            "unset password.scheme",
        ),
        warn(
            "vst.W107",
            unlimited(limits.login_per_address) || unlimited(limits.login_failures_per_account),
            "logins are not limited",
            "unset limits.login_per_address and limits.login_failures_per_account",
        ),
        warn(
            "vst.W108",
            settings.server.metrics_listen.is_some_and(|address| !address.ip().is_loopback()),
            "server.metrics_listen is reachable from other machines",
            "listen on loopback",
        ),
        warn(
            "vst.W109",
            settings.mail.transport == MailTransport::Console,
            "mails are printed and do not leave the machine",
            "set mail.transport and mail.host, then try `vestibule mail test`",
        ),
        warn(
            "vst.W110",
            settings.mail.sends_password_in_the_clear(),
            "mail.password goes to another machine without TLS",
            "set mail.tls to starttls or implicit",
        ),
    ]
    .into_iter()
    .flatten()
}

/// What can be told from here of a single sign-on in front, and what cannot.
fn single_sign_on(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    for backend in settings.backends.iter().filter(|it| it.kind == ShibbolethFactory::KIND) {
        let name = &backend.name;
        if !matches!(backend.section.clone().take_secret("proxy_secret"), Ok(Some(_))) {
            findings.push(Finding {
                id: "vst.W111",
                severity: "warning",
                what: format!(
                    "backend {name} believes every program that connects from one of \
                     server.trusted_proxies, on the proxy's machine too"
                ),
                hint: "set its proxy_secret_file",
            });
        }
        if let Some(config) = ShibbolethFactory::sp_config(&backend.section) {
            let is_https = settings.site.base_url.is_https();
            let seen = service_provider::look(&config, is_https).into_iter();
            findings.extend(seen.map(|seen| Finding {
                id: seen.id,
                severity: if seen.is_weak { "warning" } else { "ok" },
                what: format!("the service provider in front of backend {name}: {}", seen.what),
                hint: seen.hint,
            }));
            findings.push(Finding {
                id: "vst.I005",
                severity: "ok",
                what: format!(
                    "what Apache does in front of backend {name} cannot be seen from here: look \
                     yourself that it writes variables and not headers (ShibUseHeaders Off)"
                ),
                hint: "docs/shibboleth.md",
            });
            continue;
        }
        findings.push(Finding {
            id: "vst.I005",
            severity: "ok",
            what: format!(
                "of the service provider in front of backend {name} nothing can be seen from \
                 here: look yourself that it is version 3.5.1 or later, writes variables and \
                 not headers, checks for spoofing and limits redirects"
            ),
            hint: "docs/shibboleth.md",
        });
    }
    findings
}
