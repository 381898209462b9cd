//! `vestibule group …`.

use vestibule_core::{
    Timestamp,
    domain::{group::Nesting, level::Level, page::PageRequest},
    ports::groups::GroupOrder,
    usecase::{
        groups::{GroupPatch, NewGroup},
        members::Wanted,
    },
};

use super::{
    CliError, Global,
    hall::{Hall, with_hall},
    output::Out,
    whole::whole,
};
use crate::dto::group::{GroupOut, MemberOut, NestedGroupOut};

/// Groups and their members.
#[derive(clap::Subcommand)]
pub(crate) enum GroupCommand {
    /// Make a group
    Add {
        /// Its name
        name: String,
        /// What it is for
        #[arg(long, default_value = "")]
        description: String,
        /// How far members reach on each other's objects
        #[arg(long, value_name = "LEVEL", value_parser = level)]
        level: Option<Level>,
    },
    /// List groups
    List {
        /// Part of the name
        #[arg(long)]
        search: Option<String>,
        /// Which page, counted from 1
        #[arg(long, default_value_t = 1)]
        page: u32,
        /// How many to a page
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        page_size: u32,
    },
    /// Show one group and its members
    Show {
        /// The name or the id
        group: String,
    },
    /// Change a group
    Edit {
        /// The name or the id
        group: String,
        /// The new name
        #[arg(long)]
        name: Option<String>,
        /// What it is for
        #[arg(long)]
        description: Option<String>,
        /// How far members reach on each other's objects
        #[arg(long, value_name = "LEVEL", value_parser = level)]
        level: Option<Level>,
    },
    /// Remove a group
    Delete {
        /// The name or the id
        group: String,
    },
    /// Add a user, or with --group another group, to a group
    AddMember {
        /// The group
        group: String,
        /// The login name or the id of the user
        #[arg(required_unless_present = "nested")]
        user: Option<String>,
        /// Put this group into it instead
        #[arg(long = "group", value_name = "GROUP", conflicts_with = "user")]
        nested: Option<String>,
        /// As a manager, who may add and remove others
        #[arg(long)]
        manager: bool,
        /// Until this time (RFC 3339)
        #[arg(long, value_name = "TIME", value_parser = time)]
        expires_at: Option<Timestamp>,
    },
    /// Remove a user, or with --group another group, from a group
    RemoveMember {
        /// The group
        group: String,
        /// The login name or the id of the user
        #[arg(required_unless_present = "nested")]
        user: Option<String>,
        /// Take this group out of it instead
        #[arg(long = "group", value_name = "GROUP", conflicts_with = "user")]
        nested: Option<String>,
    },
}

fn level(text: &str) -> Result<Level, String> {
    text.parse().map_err(|error| format!("{error}"))
}

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text)
        .ok_or_else(|| "is not an RFC 3339 time such as 2026-01-31T12:00:00Z".to_owned())
}

pub(super) fn run(global: &Global, command: GroupCommand, out: &mut Out) -> Result<u8, CliError> {
    with_hall(global, async |hall| {
        act(&hall, command, out).await?;
        Ok(0)
    })
}

async fn act(hall: &Hall, command: GroupCommand, out: &mut Out) -> Result<(), CliError> {
    let (services, cx) = (hall.services(), &hall.cx);
    match command {
        GroupCommand::Add { name, description, level } => {
            let group = services.groups.add(cx, NewGroup { name, description, level }).await?;
            out.record(&GroupOut::from(group))?;
        }
        GroupCommand::List { search, page, page_size } => {
            let order = GroupOrder::Name;
            let request = PageRequest { page, size: page_size, order, descending: false };
            let found = services.groups.list(cx, search, request).await?;
            let (count, shown) = (found.count, found.items.len());
            let records: Vec<_> = found.items.into_iter().map(GroupOut::from).collect();
            out.records(&records, &["name", "level", "description"])?;
            out.say(&format!("{shown} of {count}"))?;
        }
        GroupCommand::Show { group } => show(hall, &group, out).await?,
        GroupCommand::Edit { group, name, description, level } => {
            let group = hall.group(&group).await?.id;
            let patch = GroupPatch { name, description, level };
            out.record(&GroupOut::from(services.groups.edit(cx, group, patch).await?))?;
        }
        GroupCommand::Delete { group } => {
            let group = hall.group(&group).await?;
            services.groups.delete(cx, group.id).await?;
            out.say(&format!("removed {}", group.name))?;
        }
        GroupCommand::AddMember { group, user: Some(user), manager, expires_at, .. } => {
            let (group, user) = (hall.group(&group).await?, hall.user(&user).await?);
            let wanted = Wanted { group: group.id, user: user.id, is_manager: manager, expires_at };
            services.members.put(cx, wanted).await?;
            out.say(&format!("{} is in {}", user.username, group.name))?;
        }
        GroupCommand::AddMember { group, nested, .. } => {
            let (parent, child) = (hall.group(&group).await?, nested_group(hall, nested).await?);
            services.groups.nest(cx, Nesting { parent: parent.id, child: child.id }).await?;
            out.say(&format!("members of {} are in {}", child.name, parent.name))?;
        }
        GroupCommand::RemoveMember { group, user: Some(user), .. } => {
            let (group, user) = (hall.group(&group).await?, hall.user(&user).await?);
            services.members.remove(cx, group.id, user.id).await?;
            out.say(&format!("{} is no longer in {}", user.username, group.name))?;
        }
        GroupCommand::RemoveMember { group, nested, .. } => {
            let (parent, child) = (hall.group(&group).await?, nested_group(hall, nested).await?);
            services.groups.unnest(cx, Nesting { parent: parent.id, child: child.id }).await?;
            out.say(&format!("members of {} are no longer in {}", child.name, parent.name))?;
        }
    }
    Ok(())
}

async fn nested_group(
    hall: &Hall,
    name: Option<String>,
) -> Result<vestibule_core::domain::group::Group, CliError> {
    let missing = || CliError::Usage("name a user or a --group".to_owned());
    hall.group(&name.ok_or_else(missing)?).await
}

async fn show(hall: &Hall, group: &str, out: &mut Out) -> Result<(), CliError> {
    let (services, cx) = (hall.services(), &hall.cx);
    let group = hall.group(group).await?;
    let nested = services.groups.nested(cx, group.id).await?;
    let members = whole(async |page| services.members.list(cx, group.id, page).await).await?;
    let members: Vec<_> = members.into_iter().map(MemberOut::from).collect();
    let names = |groups: &[vestibule_core::domain::group::Group]| {
        groups.iter().map(|g| g.name.to_string()).collect::<Vec<_>>().join(", ")
    };
    if out.is_json() {
        let group = NestedGroupOut::new(group, nested);
        out.json(&serde_json::json!({ "group": group, "members": members }))?;
        return Ok(());
    }
    let (contains, inside) = (names(&nested.0), names(&nested.1));
    out.record(&GroupOut::from(group))?;
    out.say(&format!("contains     {contains}"))?;
    out.say(&format!("inside       {inside}"))?;
    out.records(&members, &["username", "is_manager", "expires_at"])?;
    Ok(())
}
