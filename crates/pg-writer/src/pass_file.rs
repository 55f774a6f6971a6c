//! libpq's password file: which of its lines is meant for a connection, and when the file is not to be trusted.
//! Source: <https://www.postgresql.org/docs/current/libpq-pgpass.html>.

use std::io;
use std::path::Path;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

const COMMENT: u8 = b'#';
/// Where Debian's and the upstream's libpq look for a socket; a line for it says `localhost`.
#[cfg(unix)]
const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// What a line must match, in the order of its fields.
type Wanted = [Vec<u8>; 4];

/// The password of the first line that matches, for the first host that has one.
///
/// # Errors
/// Why the file is not used: it is no plain file, others may read it, or it cannot be read.
pub(crate) fn look_up(path: &Path, config: &Config) -> Result<Option<Vec<u8>>, String> {
    match read(path) {
        Ok(text) => Ok(wanted(config)
            .iter()
            .find_map(|wanted| password_in(&text, wanted))),
        Err(Trouble::Absent) => Ok(None),
        Err(Trouble::Unfit(why)) => Err(format!("the password file {} {why}", path.display())),
    }
}

enum Trouble {
    Absent,
    Unfit(String),
}

fn read(path: &Path) -> Result<Vec<u8>, Trouble> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Trouble::Absent,
        _ => Trouble::Unfit(format!("cannot be read: {error}")),
    };
    let facts = path.metadata().map_err(failed)?;
    if !facts.is_file() {
        return Err(Trouble::Unfit("is no plain file".to_owned()));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = facts.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(Trouble::Unfit(format!(
                "is open to others (mode {mode:04o}) and is not used, as with libpq; make it 0600"
            )));
        }
    }
    std::fs::read(path).map_err(failed)
}

/// Host, port, database and user, for each host that may be tried. None without a user.
fn wanted(config: &Config) -> Vec<Wanted> {
    let Some(user) = config.get_user() else {
        return Vec::new();
    };
    let database = config.get_dbname().unwrap_or(user);
    let ports = config.get_ports();
    let port = |index: usize| ports.get(index).or(ports.first()).copied().unwrap_or(5432);
    let hosts = config.get_hosts().iter().map(name_of).enumerate();
    hosts
        .map(|(index, host)| {
            let port = port(index).to_string();
            [host, port, database.to_owned(), user.to_owned()].map(String::into_bytes)
        })
        .collect()
}

fn name_of(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(folder) => match folder.to_str() {
            Some(known) if SOCKET_FOLDERS.contains(&known) => "localhost".to_owned(),
            _ => folder.display().to_string(),
        },
    }
}

fn password_in(text: &[u8], wanted: &Wanted) -> Option<Vec<u8>> {
    let lines = text.split(|&byte| byte == b'\n');
    lines
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| line.first() != Some(&COMMENT))
        .find_map(|line| {
            let rest = wanted
                .iter()
                .try_fold(line, |rest, field| after(rest, field));
            rest.map(unescaped)
        })
}

/// What stands behind the first field of a line, where that field is `wanted` or `*`.
fn after<'a>(line: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    if let Some(rest) = line.strip_prefix(b"*:") {
        return Some(rest);
    }
    let (mut rest, mut wanted) = (line, wanted);
    loop {
        let letter = match rest {
            [b':', tail @ ..] if wanted.is_empty() => return Some(tail),
            [b'\\', letter, tail @ ..] | [letter, tail @ ..] => {
                rest = tail;
                letter
            }
            [] => return None,
        };
        wanted = wanted.strip_prefix(&[*letter])?;
    }
}

/// A password with `\:` and `\\` in it; the backslash at its very end is one.
fn unescaped(password: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(password.len());
    let mut rest = password;
    while let [b'\\', letter, tail @ ..] | [letter, tail @ ..] = rest {
        plain.push(*letter);
        rest = tail;
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn found(text: &str, url: &str) -> Option<String> {
        let config: Config = url.parse().unwrap();
        let wanted = wanted(&config);
        let password = wanted
            .iter()
            .find_map(|wanted| password_in(text.as_bytes(), wanted));
        password.map(|password| String::from_utf8(password).unwrap())
    }

    #[test]
    fn the_first_line_that_matches_counts() {
        let text = "# a comment\nh:5432:d:other:no\r\nh:5432:d:u:first\r\n*:*:*:u:second\n";
        assert_eq!(found(text, "postgres://u@h/d").as_deref(), Some("first"));
        assert_eq!(
            found(text, "postgres://u@h:6432/d").as_deref(),
            Some("second")
        );
        assert_eq!(found(text, "postgres://v@h/d"), None);
        assert_eq!(found(text, "postgres://h/d"), None, "whose password?");
    }

    #[test]
    fn the_database_is_the_users_where_none_is_named() {
        assert_eq!(found("h:*:u:u:p", "postgres://u@h").as_deref(), Some("p"));
    }

    #[test]
    fn escapes_are_read_in_every_field() {
        let text = r"h:5432:a\:b\\c:u:p\:a\\ss:word\";
        let url = "host=h user=u dbname='a:b\\\\c'";
        assert_eq!(found(text, url).as_deref(), Some(r"p:a\ss:word\"));
    }

    #[test]
    fn a_field_must_match_to_its_end() {
        for line in [
            "ho:5432:d:u:p",
            "hos:5432:d:u:p",
            "host",
            "",
            "hos*:5432:d:u:p",
        ] {
            assert_eq!(found(line, "postgres://u@host/d"), None, "{line}");
        }
        assert_eq!(
            found(r"\h\o\s\t:5432:d:u:", "postgres://u@host/d").as_deref(),
            Some("")
        );
    }

    #[test]
    fn each_host_has_its_own_port_and_a_socket_is_localhost() {
        let text = "two:2:d:u:second\nlocalhost:5432:d:u:socket\n";
        let hosts = "postgres://u@one:1,two:2/d";
        assert_eq!(found(text, hosts).as_deref(), Some("second"));
        let socket = "host=/var/run/postgresql user=u dbname=d";
        assert_eq!(found(text, socket).as_deref(), Some("socket"));
    }

    #[test]
    fn a_file_that_others_may_read_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pass");
        let config: Config = "postgres://u@h/d".parse().unwrap();
        assert_eq!(look_up(&path, &config), Ok(None), "an absent file is none");
        std::fs::write(&path, "*:*:*:*:hunter2").unwrap();
        for (mode, is_used) in [
            (0o644, false),
            (0o640, false),
            (0o620, false),
            (0o600, true),
        ] {
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let outcome = look_up(&path, &config);
            assert_eq!(outcome.is_ok(), is_used, "{mode:o}");
            if let Err(why) = outcome {
                assert!(why.contains("0600") && !why.contains("hunter2"), "{why}");
            }
        }
        assert!(look_up(folder.path(), &config).is_err(), "a folder");
    }
}
