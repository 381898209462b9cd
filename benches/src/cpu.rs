//! Which core does the work, and how much of it is done.

use std::{collections::HashMap, fs, num::NonZeroU64, time::Duration};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity, set_current_timer_slack};

use crate::Result;

/// Where the measured server runs.
pub const SERVER_CORE: usize = 0;
/// Where the generator of load runs.
pub const LOAD_CORE: usize = 1;

/// Keeps the calling thread, and the threads and processes it starts from now on, on one core.
pub fn pin(core: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set)
        .map_err(|error| format!("cannot move to core {core}: {error}").into())
}

/// Runs something while the calling thread is on one core, and puts it back where it was.
pub fn pinned<T>(core: usize, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let before = sched_getaffinity(None)?;
    pin(core)?;
    let result = work();
    sched_setaffinity(None, &before)?;
    result
}

/// Has the calling thread woken when it asked to be, and not up to 50 µs later.
pub fn wake_on_time() -> Result<()> {
    Ok(set_current_timer_slack(NonZeroU64::new(1))?)
}

/// The processor time that a process and its descendants have used so far.
pub fn used_by(process: u32) -> Result<Duration> {
    let family = family(process)?;
    let mut total = Duration::ZERO;
    for member in family {
        let Ok(threads) = fs::read_dir(format!("/proc/{member}/task")) else {
            continue;
        };
        for thread in threads.flatten() {
            // In nanoseconds, where `stat` counts hundredths of a second.
            let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            let nanos = text.split(' ').next().and_then(|n| n.parse().ok());
            total += Duration::from_nanos(nanos.unwrap_or(0));
        }
    }
    Ok(total)
}

/// The resident memory of a process and its descendants, in bytes.
pub fn resident(process: u32) -> Result<u64> {
    let mut total = 0;
    for member in family(process)? {
        let status = fs::read_to_string(format!("/proc/{member}/status")).unwrap_or_default();
        total += kib_in(&status, "VmRSS:").unwrap_or(0);
    }
    Ok(total)
}

/// The part of a process's resident memory that no file stands behind, in bytes: a database that
/// is mapped does not count.
pub fn private(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    kib_in(&status, "RssAnon:").ok_or_else(|| "the kernel does not tell".into())
}

/// An amount of memory in the text of `/proc/PID/status`, in bytes.
fn kib_in(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|l| l.strip_prefix(field))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// A process and all that descend from it.
fn family(process: u32) -> Result<Vec<u32>> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let id = entry.file_name().to_str().and_then(|n| n.parse().ok());
        let stat = fs::read_to_string(entry.path().join("stat"));
        if let (Some(id), Some(parent)) = (id, stat.ok().as_deref().and_then(parent_in)) {
            children.entry(parent).or_default().push(id);
        }
    }
    let mut found = vec![process];
    let mut at = 0;
    while let Some(member) = found.get(at) {
        found.extend(children.remove(member).unwrap_or_default());
        at += 1;
    }
    Ok(found)
}

/// The parent's id in the text of `/proc/PID/stat`. The name before it may hold spaces and
/// brackets.
fn parent_in(stat: &str) -> Option<u32> {
    let after_name = stat.rsplit_once(')')?.1;
    after_name.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_may_look_like_fields() {
        assert_eq!(parent_in("17 (a) R 3 (b)) S 42 17 17 0"), Some(42));
        assert_eq!(parent_in("nothing"), None);
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let status = "VmPeak:\t  9 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(kib_in(status, "VmRSS:"), Some(1 << 20));
    }

    #[test]
    fn this_process_has_used_the_processor_and_holds_memory() {
        let me = std::process::id();
        let before = used_by(me).unwrap();
        let mut sum = 0u64;
        while used_by(me).unwrap() <= before {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(resident(me).unwrap() > 100_000);
    }
}
