//! What every exporter says of its process, under the names that dashboards know. From `/proc`; left out where that
//! is not there. Source: <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>.

use std::fs;
use std::sync::LazyLock;
use std::time::SystemTime;

use super::text::Text;

/// Clock ticks a second in `/proc`: the same on every Linux, whatever its kernel counts in.
const TICKS: f64 = 100.0;

static STARTED: LazyLock<f64> = LazyLock::new(|| {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
});

/// Remembers that the process starts now.
pub(super) fn note_start() {
    LazyLock::force(&STARTED);
}

pub(super) fn add_to(text: &mut Text) {
    let start = *STARTED;
    text.gauge(
        "process_start_time_seconds",
        "Start of the process, in seconds since 1970.",
        start,
    );
    if let Some(seconds) = cpu_seconds() {
        text.counter(
            "process_cpu_seconds_total",
            "Processor time spent, user and system.",
            seconds,
        );
    }
    if let Some(bytes) = resident_bytes() {
        text.gauge("process_resident_memory_bytes", "Resident memory.", bytes);
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        text.gauge("process_open_fds", "Open file descriptors.", files.count());
    }
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name before it may hold spaces. What follows: state, ten other fields, then the two times.
    let (_, rest) = stat.rsplit_once(')')?;
    let times = rest.split_whitespace().skip(11).take(2);
    let ticks: Vec<f64> = times.filter_map(|ticks| ticks.parse().ok()).collect();
    Some(ticks.iter().sum::<f64>() / TICKS)
}

fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
