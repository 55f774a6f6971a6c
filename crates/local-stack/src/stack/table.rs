//! A neat table on standard output.

/// Columns are as wide as their widest cell; a line under the header.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..header.len())
        .map(|column| width(header, rows, column))
        .collect();
    let line = |cells: Vec<&str>| {
        let padded = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let ruler: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
    let mut text = line(header.to_vec());
    text += &line(ruler.iter().map(String::as_str).collect());
    for row in rows {
        text += &line(row.iter().map(String::as_str).collect());
    }
    text
}

fn width(header: &[&str], rows: &[Vec<String>], column: usize) -> usize {
    let cells = rows.iter().map(|row| row[column].chars().count());
    cells
        .chain([header[column].chars().count()])
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [
            vec!["ios".to_owned(), "1".to_owned()],
            vec!["android".to_owned(), "22".to_owned()],
        ];
        let expected = "device   logins\n───────  ──────\nios      1\nandroid  22\n";
        assert_eq!(table(&["device", "logins"], &rows), expected);
    }
}
