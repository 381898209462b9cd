//! How long the server takes until it answers, what it holds while nobody asks, and how large its
//! program is, beside Django under gunicorn. What it has shown is in `docs/performance.md`.

#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use clap::Parser;
use vestibule_benches::{
    Result,
    child::{Server, free_address},
    cpu,
    django::Django,
    stats::{float, median, micros, paired_ratio},
    table::Table,
};

/// Start to first answer, idle memory, size of the program
#[derive(Parser)]
struct Arguments {
    /// How often both are started in turn
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// How the program is built: as it is shipped, or `release`
    #[arg(long, default_value = "dist")]
    profile: String,
}

/// How long a server is left alone before its memory is looked at.
const IDLE: Duration = Duration::from_secs(1);

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let directory = tempfile::tempdir()?;
    let program = stripped(directory.path(), &arguments.profile)?;
    vestibule(&program, directory.path(), &["migrate"])?;
    let django = Django::find()?;
    django.prepare(directory.path(), 1)?;

    let (mut ours, mut theirs) = (Seen::default(), Seen::default());
    for _ in 0..arguments.rounds {
        ours.note(&start(&program, directory.path())?)?;
        theirs.note(&django.serve(directory.path(), cpu::SERVER_CORE)?)?;
    }
    let mut table = Table::new(["what", "start to first answer ms", "idle MiB"]);
    for (name, seen) in [("vestibule serve", &ours), ("Django under gunicorn", &theirs)] {
        table.row([
            name.to_owned(),
            format!("{:.0}", median(&seen.start_millis)),
            format!("{:.1}", median(&seen.idle_mib)),
        ]);
    }
    println!("\n{table}");
    println!(
        "ours / Django: start {:.2}, idle memory {:.2}",
        paired_ratio(&ours.start_millis, &theirs.start_millis),
        paired_ratio(&ours.idle_mib, &theirs.idle_mib),
    );
    let size = usize::try_from(fs::metadata(&program)?.len())?;
    println!("the stripped program has {:.1} MB", float(size) / 1e6);
    Ok(())
}

#[derive(Default)]
struct Seen {
    start_millis: Vec<f64>,
    idle_mib: Vec<f64>,
}

impl Seen {
    fn note(&mut self, server: &Server) -> Result<()> {
        self.start_millis.push(micros(server.started_in) / 1000.0);
        thread::sleep(IDLE);
        let bytes = usize::try_from(server.resident()?)?;
        self.idle_mib.push(float(bytes) / 1_048_576.0);
        Ok(())
    }
}

/// The server's program as it is shipped: of this profile, without symbols.
fn stripped(directory: &Path, profile: &str) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo)
        .args(["build", "--profile", profile, "--package", "vestibule-server"])
        .args(["--bin", "vestibule"])
        .current_dir(env!("CARGO_MANIFEST_DIR")))?;
    let folder = env::current_exe()?;
    let target = folder.ancestors().nth(2).ok_or("the bench is not in a target folder")?;
    let built = target.join(profile).join("vestibule");
    let program = directory.join("vestibule");
    run(Command::new("strip").arg("-o").arg(&program).arg(built))?;
    Ok(program)
}

fn start(program: &Path, directory: &Path) -> Result<Server> {
    let address = free_address()?;
    let mut command = configured(program, directory);
    command
        .args(["serve", "--listen", &address.to_string()])
        .env("VESTIBULE_SITE__BASE_URL", format!("http://{address}"))
        .env("VESTIBULE_LOG__FILTER", "warn");
    Server::start(command, address, "/healthz", Some(cpu::SERVER_CORE))
}

fn vestibule(program: &Path, directory: &Path, arguments: &[&str]) -> Result<()> {
    run(configured(program, directory).args(arguments))
}

fn configured(program: &Path, directory: &Path) -> Command {
    let database = directory.join("vestibule.db");
    let mut command = Command::new(program);
    command
        .current_dir(directory)
        .env("VESTIBULE_STORAGE__URL", format!("sqlite:{}", database.display()));
    command
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}
