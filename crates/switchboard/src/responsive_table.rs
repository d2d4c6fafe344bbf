//! A table that fits the terminal: if it is too wide, cells are shortened, then columns are left out. Pure.

use comfy_table::{ContentArrangement, Table};

use crate::table;

/// Blanks on both sides of each cell.
const PADDING: usize = 2;

/// A column, and what happens to it in a narrow terminal.
pub(crate) struct Column {
    heading: &'static str,
    cells: Vec<String>,
    /// The same cells in fewer letters.
    short: Option<Vec<String>>,
    /// The lowest is left out first; a column without one stays.
    worth: Option<u8>,
}

impl Column {
    /// A column that always stays.
    pub(crate) fn fixed(heading: &'static str, cells: impl IntoIterator<Item = String>) -> Self {
        Self { heading, cells: cells.into_iter().collect(), short: None, worth: None }
    }

    /// A column that is left out of a narrow terminal, those of less worth before it.
    pub(crate) fn spare(worth: u8, heading: &'static str, cells: impl IntoIterator<Item = String>) -> Self {
        Self { worth: Some(worth), ..Self::fixed(heading, cells) }
    }

    /// Shorter cells for a narrow terminal.
    pub(crate) fn or_shortly(mut self, cells: impl IntoIterator<Item = String>) -> Self {
        self.short = Some(cells.into_iter().collect());
        self
    }

    fn width(&self) -> usize {
        let cells = self.cells.iter().map(String::as_str);
        let widest = cells.chain([self.heading]).map(|text| text.chars().count()).max();
        widest.unwrap_or_default() + PADDING
    }
}

/// A table and the headings of the columns that had no room.
pub(crate) struct ResponsiveTable {
    pub(crate) table: Table,
    pub(crate) left_out: Vec<&'static str>,
}

/// Makes the table of these columns at a terminal of this width; without one everything is shown.
pub(crate) fn fit(mut columns: Vec<Column>, width: Option<u16>) -> ResponsiveTable {
    let mut left_out = Vec::new();
    if let Some(width) = width.map(usize::from) {
        let is_wider = |columns: &[Column]| columns.iter().map(Column::width).sum::<usize>() > width;
        if is_wider(&columns) {
            for column in &mut columns {
                column.cells = column.short.take().unwrap_or_else(|| std::mem::take(&mut column.cells));
            }
        }
        while is_wider(&columns)
            && let Some((place, _)) = least(&columns)
        {
            left_out.push(columns.remove(place).heading);
        }
    }
    let mut table = table::with_header(columns.iter().map(|column| column.heading));
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    let rows = columns.iter().map(|column| column.cells.len()).max().unwrap_or_default();
    for row in 0..rows {
        table.add_row(columns.iter().map(|column| column.cells.get(row).map_or("", String::as_str)));
    }
    ResponsiveTable { table, left_out }
}

/// The column of the least worth among those that can be left out.
fn least(columns: &[Column]) -> Option<(usize, u8)> {
    let spare =
        columns.iter().enumerate().filter_map(|(place, column)| column.worth.map(|worth| (place, worth)));
    spare.min_by_key(|(_, worth)| *worth)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn columns(letters: [usize; 4]) -> Vec<Column> {
        let cell = |place: usize| [String::from("x").repeat(letters[place])];
        vec![
            Column::fixed("A", cell(0)),
            Column::spare(2, "B", cell(1)),
            Column::spare(1, "C", cell(2)).or_shortly(["y".to_owned()]),
            Column::spare(3, "D", cell(3)),
        ]
    }

    fn lines(fitted: &ResponsiveTable) -> Vec<String> {
        fitted.table.lines().collect()
    }

    #[test]
    fn cells_are_shortened_before_columns_go_by_worth() {
        let left_out = |width| fit(columns([4; 4]), Some(width)).left_out;
        assert!(fit(columns([4; 4]), None).left_out.is_empty());
        let whole = fit(columns([4; 4]), Some(24));
        assert!(whole.left_out.is_empty() && lines(&whole)[1].contains("xxxx  xxxx  xxxx  xxxx"));
        let short = fit(columns([4; 4]), Some(23));
        assert!(short.left_out.is_empty() && lines(&short)[1].contains("xxxx  xxxx  y  xxxx"));
        assert_eq!(left_out(20), ["C"]);
        assert_eq!(left_out(17), ["C", "B"]);
        assert_eq!(left_out(1), ["C", "B", "D"]);
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal(letters in prop::array::uniform4(1..40_usize), width in 16..90_u16) {
            let fitted = fit(columns(letters), Some(width));
            for line in lines(&fitted) {
                prop_assert!(line.chars().count() <= usize::from(width), "{line:?}");
            }
            prop_assert_eq!(fitted.left_out.len() + fitted.table.column_max_content_widths().len(), 4);
        }
    }
}
