//! The commands of `docs/accounts-by-mail.md`, as they stand there, with the binary, a shell and
//! curl.

use std::{
    fmt::Write,
    fs,
    net::TcpListener,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Longer than the page takes on a machine that has much else to do.
const LONGEST: Duration = Duration::from_mins(2);

/// The shell's lines of a section, from the fences.
fn commands(page: &str, section: &str) -> Vec<String> {
    let text = page.split(&format!("## {section}\n")).nth(1).unwrap();
    let text = text.split("\n## ").next().unwrap();
    let blocks = text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.flat_map(str::lines).map(str::to_owned).collect()
}

/// What a line is said to print, behind the mark at its end.
fn promised(line: &str) -> Option<&str> {
    let (_, said) = line.rsplit_once("   # ")?;
    Some(said.trim())
}

#[test]
fn from_curl_alone_every_command_of_the_page_does_what_it_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/accounts-by-mail.md");
    let lines = commands(&fs::read_to_string(page).unwrap(), "From curl alone");
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    // Each promise's output goes into a file of its own; nothing else about a line is changed.
    let mut script = String::from("set -u\ntrap 'kill $(jobs -p)' EXIT\n");
    let mut promises = Vec::new();
    for line in &lines {
        let line = line.replace("127.0.0.1:8080", &format!("127.0.0.1:{port}"));
        match promised(&line) {
            None => writeln!(script, "{line}").unwrap(),
            Some(said) => {
                let command = line.rsplit_once("   # ").unwrap().0;
                let number = promises.len();
                writeln!(script, "{{ {command}\n}} > out.{number} 2>&1").unwrap();
                promises.push((command.trim().to_owned(), said.to_owned()));
            }
        }
    }
    script += "touch done\n";
    assert!(promises.len() >= 13, "{promises:?}");
    let file = folder.path().join("page.sh");
    fs::write(&file, script).unwrap();
    let binaries = Path::new(env!("CARGO_BIN_EXE_vestibule")).parent().unwrap();
    let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap());
    let log = fs::File::create(folder.path().join("log")).unwrap();
    let mut shell = Command::new("bash")
        .arg(&file)
        .current_dir(folder.path())
        .env("PATH", path)
        .env_remove("VESTIBULE_CONFIG")
        .env("VESTIBULE_SERVER__LISTEN", format!("127.0.0.1:{port}"))
        .env("VESTIBULE_SITE__BASE_URL", format!("http://127.0.0.1:{port}"))
        .env("VESTIBULE_LOG__FILTER", "warn")
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .process_group(0)
        .spawn()
        .unwrap();
    let began = Instant::now();
    while shell.try_wait().unwrap().is_none() {
        if began.elapsed() > LONGEST {
            let group = format!("-{}", shell.id());
            let _ = Command::new("kill").args(["-9", "--", &group]).status();
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    for (number, (command, said)) in promises.iter().enumerate() {
        let out = fs::read_to_string(folder.path().join(format!("out.{number}")));
        let out = out.unwrap_or_else(|_| panic!("{command} was never come to: {log}"));
        assert!(out.trim_end().ends_with(said), "{command}\nprinted {out}\nand not {said}: {log}");
    }
    assert!(folder.path().join("done").exists(), "{log}");
}
