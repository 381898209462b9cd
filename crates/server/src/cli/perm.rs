//! `vestibule perm …`.

use serde_json::json;
use vestibule_core::{
    Timestamp,
    domain::{
        grant::{Effect, Scope, Subject},
        object::{ObjectPrefix, ObjectRef},
        permission::PermissionCode,
    },
    ports::grants::GrantFilter,
    usecase::{error::AdminError, grants::NewGrant},
};

use super::{
    CliError, Global,
    hall::{Hall, with_hall},
    output::Out,
    whole::whole,
};
use crate::dto::{grant::GrantOut, permission::PermissionOut};

/// Permissions: who holds what, and why.
#[derive(clap::Subcommand)]
pub(crate) enum PermCommand {
    /// List registered permissions, or with --user or --group what was granted to them
    List {
        /// What this user was granted and, in all, holds
        #[arg(long, conflicts_with = "group")]
        user: Option<String>,
        /// What this group was granted
        #[arg(long)]
        group: Option<String>,
    },
    /// Grant a permission, or with --deny forbid it
    Grant {
        #[command(flatten)]
        target: Target,
        /// Forbid it: a denial wins over every grant
        #[arg(long)]
        deny: bool,
        /// Until this time (RFC 3339)
        #[arg(long, value_name = "TIME", value_parser = time)]
        expires_at: Option<Timestamp>,
    },
    /// Take back a grant, or with --deny a denial
    Revoke {
        #[command(flatten)]
        target: Target,
        /// Take back the denial
        #[arg(long)]
        deny: bool,
    },
    /// May this user do that, and why; exit status 1 when not
    Check {
        /// The login name or the id
        user: String,
        /// The permission, app.codename
        permission: String,
        /// The object, TYPE:ID
        object: Option<String>,
    },
}

/// Whom a grant is made to, of what and where.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Target {
    /// The permission, app.codename
    permission: String,
    /// The user it is made to
    #[arg(long, group = "subject")]
    user: Option<String>,
    /// The group it is made to
    #[arg(long, group = "subject")]
    group: Option<String>,
    /// Everybody who is logged in
    #[arg(long, group = "subject")]
    authenticated: bool,
    /// On this object only
    #[arg(long, value_name = "TYPE:ID")]
    object: Option<String>,
    /// On all objects below this path
    #[arg(long, value_name = "TYPE:/PATH/", conflicts_with = "object")]
    prefix: Option<String>,
}

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text)
        .ok_or_else(|| "is not an RFC 3339 time such as 2026-01-31T12:00:00Z".to_owned())
}

pub(super) fn run(global: &Global, command: PermCommand, out: &mut Out) -> Result<u8, CliError> {
    with_hall(global, async |hall| act(&hall, command, out).await)
}

async fn act(hall: &Hall, command: PermCommand, out: &mut Out) -> Result<u8, CliError> {
    let (services, cx) = (hall.services(), &hall.cx);
    match command {
        PermCommand::List { user: Some(user), .. } => {
            let user = hall.user(&user).await?;
            let grants = grants(hall, Subject::User(user.id)).await?;
            let held = services.permissions.effective(cx, user.id).await?;
            if out.is_json() {
                out.json(&json!({ "grants": grants, "held": held }))?;
            } else {
                print(&grants, out)?;
                out.say(&format!("in all {} holds: {}", user.username, held.join(", ")))?;
            }
        }
        PermCommand::List { group: Some(group), .. } => {
            let group = hall.group(&group).await?;
            print(&grants(hall, Subject::Group(group.id)).await?, out)?;
        }
        PermCommand::List { .. } => {
            let all = services.permissions.list(cx).await?;
            let all: Vec<_> = all.into_iter().map(PermissionOut::from).collect();
            out.records(&all, &["code", "service", "object_type", "action", "description"])?;
        }
        PermCommand::Grant { target, deny, expires_at } => {
            let new = wanted(hall, &target, deny, expires_at).await?;
            let (grant, is_new) = services.grants.add(cx, new).await?;
            out.say(if is_new { "granted:" } else { "was granted already:" })?;
            out.record(&GrantOut::from(grant))?;
        }
        PermCommand::Revoke { target, deny } => {
            let new = wanted(hall, &target, deny, None).await?;
            revoke(hall, &new).await?;
            out.say("taken back")?;
        }
        PermCommand::Check { user, permission, object } => {
            let user = hall.user(&user).await?;
            let object = object.as_deref().map(ObjectRef::parse).transpose();
            let object = object.map_err(AdminError::from)?;
            let decision = services.check.explain(cx, user.id, &permission, object).await?;
            if out.is_json() {
                out.json(&crate::dto::check::CheckOut::from(decision.clone()))?;
            } else {
                let word = if decision.allowed { "allowed" } else { "denied" };
                out.say(&format!("{word}: {}", decision.reason))?;
            }
            return Ok(u8::from(!decision.allowed));
        }
    }
    Ok(0)
}

async fn wanted(
    hall: &Hall,
    target: &Target,
    deny: bool,
    expires_at: Option<Timestamp>,
) -> Result<NewGrant, CliError> {
    let subject = match (&target.user, &target.group, target.authenticated) {
        (Some(user), None, false) => Subject::User(hall.user(user).await?.id),
        (None, Some(group), false) => Subject::Group(hall.group(group).await?.id),
        (None, None, true) => Subject::Authenticated,
        _ => {
            let hint = "name exactly one of --user, --group and --authenticated";
            return Err(CliError::Usage(hint.to_owned()));
        }
    };
    let scope = match (&target.object, &target.prefix) {
        (Some(object), _) => Scope::Object(ObjectRef::parse(object).map_err(AdminError::from)?),
        (None, Some(prefix)) => {
            let (kind, path) = prefix.split_once(':').unwrap_or((prefix, ""));
            Scope::Prefix(ObjectPrefix::new(kind, path).map_err(AdminError::from)?)
        }
        (None, None) => Scope::Whole,
    };
    let permission = PermissionCode::parse(&target.permission).map_err(AdminError::from)?;
    let effect = if deny { Effect::Deny } else { Effect::Allow };
    Ok(NewGrant { subject, permission, effect, scope, expires_at })
}

async fn revoke(hall: &Hall, target: &NewGrant) -> Result<(), CliError> {
    let filter = GrantFilter {
        subject: Some(target.subject),
        permission: Some(target.permission.clone()),
        object: None,
    };
    let grants = &hall.services().grants;
    let found = whole(async |page| grants.list(&hall.cx, filter.clone(), page).await).await?;
    let same = |grant: &&vestibule_core::domain::grant::Grant| {
        grant.effect == target.effect && grant.scope == target.scope
    };
    let Some(grant) = found.iter().find(same) else {
        return Err(CliError::Failed("there is no such grant".to_owned()));
    };
    Ok(hall.services().grants.remove(&hall.cx, grant.id).await?)
}

async fn grants(hall: &Hall, subject: Subject) -> Result<Vec<GrantOut>, CliError> {
    let filter = GrantFilter { subject: Some(subject), ..GrantFilter::default() };
    let grants = &hall.services().grants;
    let found = whole(async |page| grants.list(&hall.cx, filter.clone(), page).await).await?;
    Ok(found.into_iter().map(GrantOut::from).collect())
}

fn print(grants: &[GrantOut], out: &mut Out) -> Result<(), CliError> {
    Ok(out.records(grants, &["permission", "effect", "object", "prefix", "expires_at"])?)
}
