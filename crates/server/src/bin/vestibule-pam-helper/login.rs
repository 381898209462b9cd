//! One question, answered.

use std::{
    io,
    path::{Path, PathBuf},
};

use rustix::process::geteuid;
use vestibule_auth::backends::pam::{
    is_name, is_service,
    wire::{Answer, Bar, Person, Phase, Question, Request, Who},
};
use vestibule_core::Secret;

use crate::{
    conversation::Conversation,
    edge::{
        pam::{self, Transaction},
        people::{self, Account},
    },
    line::Line,
    options::Options,
};

/// What services are called that a caller without our rights may ask for: whoever takes over the
/// server must not try passwords on `su`.
const OWN_SERVICES: &str = "vestibule";

/// Answers it. `has_more_rights` says that whoever asks could not do it alone.
pub(crate) fn answer(
    request: &Request,
    options: &Options,
    has_more_rights: bool,
    line: Line,
) -> Answer {
    let service_file = match find_service(&request.service, options, has_more_rights) {
        Ok(file) => file,
        Err(why) => return Answer::Misconfigured(why),
    };
    if request.needs_root && !geteuid().is_root() {
        return Answer::Misconfigured(format!(
            "the helper runs as uid {} and not as root: pam_unix would refuse everybody else; \
             install it setuid root or give it a socket, or set without_root = true",
            geteuid().as_raw()
        ));
    }
    let service = Service { request, options };
    match &request.question {
        Question::Look => {
            let user = if geteuid().is_root() { "root" } else { "no root" };
            Answer::Ready(format!("the helper runs as {user}, by {}", service_file.display()))
        }
        Question::LogIn { who, password, code } => {
            service.ask(who, Some((password, code.as_ref())), line)
        }
        Question::MayEnter { who } => service.ask(who, None, line),
    }
}

/// The service's file. Without one libpam would take `other`, which refuses everybody as if their
/// passwords were wrong.
fn find_service(name: &str, options: &Options, has_more_rights: bool) -> Result<PathBuf, String> {
    if !is_service(name) {
        return Err("the service's name is none".to_owned());
    }
    if has_more_rights && !name.starts_with(OWN_SERVICES) {
        return Err(format!("the name of the service has to begin with {OWN_SERVICES}"));
    }
    let folders: Vec<&Path> = match &options.service_dir {
        Some(folder) => vec![folder],
        None => ["/etc/pam.d", "/usr/lib/pam.d"].iter().map(Path::new).collect(),
    };
    let there = folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file());
    there.ok_or_else(|| format!("there is no service file {}", folders[0].join(name).display()))
}

struct Service<'a> {
    request: &'a Request,
    options: &'a Options,
}

impl Service<'_> {
    /// Both phases with a password; without one the second alone.
    fn ask(&self, who: &Who, brought: Option<(&Secret, Option<&Secret>)>, line: Line) -> Answer {
        let (name, account) = match find(who) {
            Ok(Some((name, account))) => (name, account),
            Ok(None) => return Answer::Barred(Bar::NoAccount),
            Err(why) => return Answer::Unavailable(why),
        };
        if let Some(bar) = account.as_ref().and_then(|account| self.bar(account)) {
            return Answer::Barred(bar);
        }
        let (password, code) = brought.unzip();
        let conversation = Conversation::new(password.cloned(), code.flatten().cloned(), line);
        let mut transaction = match self.start(&name, conversation) {
            Ok(transaction) => transaction,
            Err(why) => return Answer::Misconfigured(format!("PAM does not start: {why}")),
        };
        let phases = [Phase::Authenticate, Phase::Account];
        for phase in phases.into_iter().filter(|p| password.is_some() || *p == Phase::Account) {
            let code = match phase {
                Phase::Authenticate => transaction.authenticate(),
                Phase::Account => transaction.check_account(),
            };
            if code != pam::SUCCESS {
                return Answer::Refused { phase, code, pause: transaction.pause() };
            }
            match is_still(&transaction, account.as_ref()) {
                Ok(None) => {}
                Ok(Some(bar)) => return Answer::Barred(bar),
                Err(why) => return Answer::Unavailable(why),
            }
        }
        let by_code = transaction.used_code();
        drop(transaction);
        match account {
            Some(account) => Answer::In(Person {
                groups: people::groups_of(&account),
                uid: account.uid,
                by_code,
                name: account.name,
            }),
            None => Answer::Barred(Bar::NoAccount),
        }
    }

    fn bar(&self, account: &Account) -> Option<Bar> {
        match account.uid {
            0 => Some(Bar::Root),
            uid if uid < self.request.min_uid => Some(Bar::BelowFloor),
            _ => None,
        }
    }

    fn start(&self, name: &str, conversation: Conversation) -> Result<Transaction, String> {
        let texts = (pam::text(&self.request.service), pam::text(name));
        let (Some(service), Some(user)) = texts else {
            return Err("a zero byte in a name".to_owned());
        };
        // A folder that cannot be handed on must not turn into the system's.
        let folder = match self.options.service_dir.as_deref().map(Path::to_str) {
            Some(Some(folder)) => pam::text(folder),
            Some(None) => return Err("a folder whose name is no text".to_owned()),
            None => None,
        };
        let started = Transaction::start(&service, &user, folder.as_deref(), conversation);
        let mut transaction = started.map_err(|code| format!("code {code}"))?;
        // Some modules want to hear of a terminal; ssh and ftp have such words, too.
        let address = Some(&*self.request.address).filter(|address| !address.is_empty());
        transaction.set_origin(c"vestibule", address.and_then(pam::text).as_deref());
        Ok(transaction)
    }
}

/// The name that PAM is asked about, and the account of it. A name that nobody has is asked about
/// all the same: it has to take as long as any other. A number that nobody has is nobody.
fn find(who: &Who) -> Result<Option<(String, Option<Account>)>, String> {
    let cannot_tell = |error: io::Error| format!("the system cannot say who has it: {error}");
    let found = match who {
        Who::Name(name) if !is_name(name) => None,
        Who::Name(name) => match people::by_name(name).map_err(cannot_tell)? {
            Some(account) => Some((account.name.clone(), Some(account))),
            None => Some((name.clone(), None)),
        },
        Who::Uid(uid) => {
            let account = people::by_uid(*uid).map_err(cannot_tell)?;
            account.map(|account| (account.name.clone(), Some(account)))
        }
    };
    Ok(found)
}

/// Whether PAM still speaks of the same person.
fn is_still(transaction: &Transaction, account: Option<&Account>) -> Result<Option<Bar>, String> {
    let (Some(now), Some(account)) = (transaction.user(), account) else {
        return Ok(Some(if account.is_some() { Bar::OtherPerson } else { Bar::NoAccount }));
    };
    if now == account.name {
        return Ok(None);
    }
    match people::by_name(&now) {
        Ok(Some(other)) if other.uid == account.uid && other.name == account.name => Ok(None),
        Ok(_) => Ok(Some(Bar::OtherPerson)),
        Err(error) => Err(format!("the system cannot say who has it: {error}")),
    }
}
