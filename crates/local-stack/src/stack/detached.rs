//! Processes that outlive the command that started them. A process id alone proves nothing, since ids are used again:
//! what a process was started with says whether it is ours.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// No event tells when a process that is not our child ends, nor when a log file grows.
const POLL: Duration = Duration::from_millis(4);
const START_TIMEOUT: Duration = Duration::from_secs(30);
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Starts a server in a process group of its own and returns its process id once its log contains `ready`.
pub(crate) fn start(command_line: &[OsString], log: &Path, ready: &str) -> Result<u32> {
    let (program, arguments) = command_line
        .split_first()
        .context("an empty command line")?;
    let mut output =
        File::create(log).with_context(|| format!("failed to write {}", log.display()))?;
    let mut server = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output.try_clone()?)
        .process_group(0)
        .spawn()
        .with_context(|| format!("failed to run {}", program.display()))?;
    output = File::open(log)?;
    wait_until_ready(&mut server, &mut output, ready)?;
    Ok(server.id())
}

fn wait_until_ready(server: &mut Child, log: &mut File, ready: &str) -> Result<()> {
    let deadline = Instant::now() + START_TIMEOUT;
    while Instant::now() < deadline {
        let ended = server.try_wait()?.is_some();
        let said = content(log)?;
        if said.contains(ready) {
            return Ok(());
        }
        if ended {
            bail!("the server ended at once: {}", said.trim());
        }
        sleep(POLL);
    }
    server.kill()?;
    bail!(
        "the server was not ready within {START_TIMEOUT:?}: {}",
        content(log)?.trim()
    )
}

fn content(log: &mut File) -> Result<String> {
    let mut bytes = Vec::new();
    log.seek(SeekFrom::Start(0))?;
    log.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether the process runs and was started with this word, a path of ours, in its command line.
pub(crate) fn is_running(pid: u32, word: &Path) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).or_else(|_| {
        let ps = Command::new("ps")
            .args(["-o", "command=", "-p", &pid.to_string()])
            .output();
        ps.map(|output| output.stdout)
    });
    let word = word.as_os_str().as_encoded_bytes();
    line.is_ok_and(|line| line.windows(word.len()).any(|window| window == word))
}

/// Sends each signal in turn, giving the process time after each, until it is gone.
pub(crate) fn stop(pid: u32, word: &Path, signals: &[&str]) -> Result<()> {
    for signal in signals {
        if !is_running(pid, word) {
            return Ok(());
        }
        // The shell's own: a small system has no /bin/kill.
        let arguments = ["-c", r#"kill -s "$0" "$1""#, signal, &pid.to_string()];
        Command::new("sh")
            .args(arguments)
            .status()
            .context("failed to run kill")?;
        let deadline = Instant::now() + STOP_TIMEOUT;
        while is_running(pid, word) && Instant::now() < deadline {
            sleep(POLL);
        }
    }
    ensure!(!is_running(pid, word), "process {pid} does not end");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::ephemeral;

    #[test]
    fn a_process_is_known_by_its_command_line_and_not_by_its_id_alone() {
        let folder = ephemeral("unit").unwrap();
        let script = format!("echo ready; exec tail -f {}", folder.join("log").display());
        let pid = start(
            &["sh", "-c", &script].map(OsString::from),
            &folder.join("log"),
            "ready",
        )
        .unwrap();
        assert!(is_running(pid, &folder));
        assert!(!is_running(pid, Path::new("/somebody/else")));
        assert!(stop(pid, Path::new("/somebody/else"), &["KILL"]).is_ok());
        assert!(is_running(pid, &folder));
        stop(pid, &folder, &["TERM"]).unwrap();
        assert!(!is_running(pid, &folder));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_server_that_ends_at_once_says_why() {
        let folder = ephemeral("unit").unwrap();
        let line = ["sh", "-c", "echo no such luck"].map(OsString::from);
        let error = start(&line, &folder.join("log"), "ready").unwrap_err();
        assert!(error.to_string().contains("no such luck"), "{error}");
        fs::remove_dir_all(folder).unwrap();
    }
}
