//! Takes `sslmode`, `sslrootcert` and `passfile` out of a connection string, in both of libpq's forms, since the driver
//! knows only three modes and no file. What is left is the driver's to read.

use std::ops::Range;

use percent_encoding::percent_decode_str;

/// A connection string without the options that are ours, and those.
pub(crate) struct Taken {
    pub(crate) rest: String,
    pub(crate) options: Vec<(String, String)>,
}

/// `None` where the string cannot be read.
pub(crate) fn take(connection: &str) -> Option<Taken> {
    if connection.contains("://") {
        from_url(connection)
    } else {
        from_pairs(connection)
    }
}

fn is_ours(name: &str) -> bool {
    matches!(name, "sslmode" | "sslrootcert" | "passfile")
}

fn from_url(url: &str) -> Option<Taken> {
    // As the driver has it, a password ends at the first @, and may hold a question mark.
    let after_password = url.find('@').unwrap_or(0);
    let query = url[after_password..].find('?');
    let (base, query) = query.map_or((url, ""), |at| url.split_at(after_password + at));
    let query = query.strip_prefix('?').unwrap_or(query);
    let mut rest = base.to_owned();
    let mut options = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some((name, value)) if is_ours(name) => {
                let value = percent_decode_str(value).decode_utf8().ok()?;
                options.push((name.to_owned(), value.into_owned()));
            }
            _ => {
                rest.push(if rest.len() == base.len() { '?' } else { '&' });
                rest.push_str(pair);
            }
        }
    }
    Some(Taken { rest, options })
}

fn from_pairs(text: &str) -> Option<Taken> {
    let mut taken = Taken {
        rest: String::new(),
        options: Vec::new(),
    };
    let mut position = skip_spaces(text, 0);
    while position < text.len() {
        let pair = read_pair(text, position)?;
        if is_ours(pair.name) {
            taken.options.push((pair.name.to_owned(), pair.value));
        } else {
            taken.rest.push_str(&text[pair.span.clone()]);
            taken.rest.push(' ');
        }
        position = skip_spaces(text, pair.span.end);
    }
    Some(taken)
}

struct Pair<'a> {
    name: &'a str,
    value: String,
    span: Range<usize>,
}

/// Source: "Keyword/Value Connection Strings" in libpq's manual: `name = 'a value'`, with `\'` and `\\` in it.
fn read_pair(text: &str, start: usize) -> Option<Pair<'_>> {
    let equals = start + text[start..].find('=')?;
    let mut position = skip_spaces(text, equals + 1);
    let quoted = text[position..].starts_with('\'');
    position += usize::from(quoted);
    let mut value = String::new();
    let mut letters = text[position..].char_indices();
    let end = loop {
        match letters.next() {
            Some((_, '\\')) => value.push(letters.next()?.1),
            Some((at, '\'')) if quoted => break position + at + 1,
            Some((at, letter)) if !quoted && letter.is_whitespace() => break position + at,
            Some((_, letter)) => value.push(letter),
            None if quoted => return None,
            None => break text.len(),
        }
    };
    Some(Pair {
        name: text[start..equals].trim_end(),
        value,
        span: start..end,
    })
}

fn skip_spaces(text: &str, from: usize) -> usize {
    text.len() - text[from..].trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(connection: &str) -> (String, Vec<String>) {
        let taken = take(connection).unwrap();
        let options = taken.options.into_iter();
        let options = options.map(|(name, value)| format!("{name}={value}"));
        (taken.rest, options.collect())
    }

    #[test]
    fn a_url_keeps_its_other_parameters() {
        let (rest, options) =
            taken("postgres://u:p@h/d?sslmode=verify-ca&options=-cx%3D1&sslrootcert=/a%20b/ca.pem");
        assert_eq!(rest, "postgres://u:p@h/d?options=-cx%3D1");
        assert_eq!(options, ["sslmode=verify-ca", "sslrootcert=/a b/ca.pem"]);
        assert_eq!(taken("postgres://h/d?sslmode=require").0, "postgres://h/d");
        let (rest, options) = taken("postgres://u:what?sslmode=@h/d?sslmode=require");
        assert_eq!(rest, "postgres://u:what?sslmode=@h/d");
        assert_eq!(options, ["sslmode=require"]);
    }

    #[test]
    fn pairs_are_read_as_libpq_reads_them() {
        let (rest, options) = taken(
            r"host=h  password = 'sslmode=x \' y' sslmode = verify-full sslrootcert='/a b/ca.pem'",
        );
        assert_eq!(rest, r"host=h password = 'sslmode=x \' y' ");
        assert_eq!(options, ["sslmode=verify-full", "sslrootcert=/a b/ca.pem"]);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        assert!(take("host").is_none());
        assert!(take("host='h").is_none());
        assert!(take(r"host=h\").is_none());
        assert!(take("postgres://h/d?sslrootcert=%FF").is_none());
    }
}
