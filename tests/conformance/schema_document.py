"""Reads the schema document and makes a schema of it, literally, so that PostgreSQL itself normalizes both sides.

Belongs here: the document's tables, keys, indexes, checks, policies and views, as facts. Does not belong here: what the
product's database looks like (`catalog_facts`), and what may differ (sql/deviations.toml).
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

Facts = dict[str, str]

_CHECKED = {
    "ProductStatus": ("shopify_products", "status"),
    "FulfillmentStatus": ("shopify_orders", "fulfillment_status"),
    "FinancialStatus": ("shopify_orders", "financial_status"),
    "InventoryPolicy": ("shopify_variants", "inventory_policy"),
    "WeightUnit": ("shopify_variants", "weight_unit"),
    "MediaContentType": ("shopify_media", "media_type"),
}


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    constraints: str
    description: str

    @property
    def default(self) -> str | None:
        found = re.search(r"DEFAULT ('[^']*'|[\w.]+(?:\(\))?)", self.constraints)
        return found[1] if found else None

    @property
    def is_key(self) -> bool:
        return re.search(r"\bPK\b", self.constraints) is not None

    @property
    def reference(self) -> str | None:
        found = re.search(r"FK (\w+)\((\w+)\)", self.constraints)
        return f"{found[1]}({found[2]})" if found else None

    @property
    def check(self) -> str | None:
        if "CHECK IN (...)" in self.constraints:
            values = ", ".join(f"'{value}'" for value in self.description.split("/"))
            return f"CHECK ({self.name} IN ({values}))"
        found = re.search(r"CHECK \(.*\)", self.constraints)
        return found[0] if found else None


@dataclass
class Table:
    name: str
    columns: list[Column] = field(default_factory=list)
    indexes: list[tuple[str, str]] = field(default_factory=list)
    key: list[str] = field(default_factory=list)
    partitioning: str | None = None

    @property
    def primary_keys(self) -> str:
        """Some tables name two: `id` as PK, and a composite one."""
        keys = [[column.name] for column in self.columns if column.is_key]
        return " and ".join(f"({', '.join(key)})" for key in [*keys, self.key] if key)


class Document:
    """The parsed document."""

    def __init__(self, file: Path) -> None:
        self.text = file.read_text(encoding="utf-8")
        self.tables: list[Table] = []
        table: Table | None = None
        for line in self.text.splitlines():
            if line.startswith(("## ", "### ")):
                found = re.match(r"### Table: `(\w+)`", line)
                table = Table(found[1]) if found else None
                self.tables += [table] if table else []
            elif table:
                _read(table, line)

    def build(self, connection: psycopg.Connection) -> None:
        """Make the document's tables, indexes and views in a schema of their own, as literally as can be."""
        connection.execute("CREATE SCHEMA document")
        connection.execute("SET search_path TO document, public")
        checks = self._checks()
        for table in self.tables:
            lines = []
            for column in table.columns:
                line = f'"{column.name}" {column.type}'
                line += f" DEFAULT {column.default}" if column.default else ""
                needed = "NOT NULL" in column.constraints or column.is_key or column.name in table.key
                line += " NOT NULL" if needed else ""
                check = column.check or checks.get((table.name, column.name))
                lines.append(f"{line} {check or ''}")
            connection.execute(f"CREATE TABLE document.{table.name} ({', '.join(lines)})")
        for statement in re.findall(r"^CREATE (?:MATERIALIZED )?VIEW .*?;$", self.text, re.DOTALL | re.MULTILINE):
            connection.execute(statement)

    def index_statements(self) -> list[tuple[str, str]]:
        """Name and statement of every index: of the tables, of the views, of the guidelines."""
        found = []
        for table in self.tables:
            for name, said in table.indexes:
                parts = re.match(r"(UNIQUE )?(?:(GIN) )?(?:ON |USING (\w+) )(.*)", said)
                assert parts, said
                method = parts[2] or parts[3] or "btree"
                found.append((name, f"CREATE {parts[1] or ''}INDEX {name} ON {table.name} USING {method} {parts[4]}"))
        for statement in re.findall(r"^CREATE (?:UNIQUE )?INDEX .*?;$", self.text, re.DOTALL | re.MULTILINE):
            plain = re.sub(r"CONCURRENTLY |IF NOT EXISTS ", "", statement)
            found.append((re.findall(r"INDEX (\w+)", plain)[0], plain))
        return found

    def policies(self) -> list[tuple[str, str, str]]:
        """Table, name and condition of every policy of the complete reference."""
        pattern = r"^CREATE POLICY (\w+) ON (\w+)\s+USING \((.*?)\);$"
        return [(t, n, c) for n, t, c in re.findall(pattern, self.text, re.DOTALL | re.MULTILINE)]

    def facts(self) -> Facts:
        """What the text says itself; the rest is read from the schema that `build` makes."""
        facts: Facts = {}
        for table in self.tables:
            name = table.name
            facts[f"primary key {name}"] = table.primary_keys
            if table.partitioning:
                facts[f"partitioning {name}"] = table.partitioning
            for column in table.columns:
                if column.description:
                    facts[f"comment {name}.{column.name}"] = column.description
                if column.reference:
                    facts[f"foreign key {name}.{column.name}"] = column.reference
                if "UNIQUE" in column.constraints:
                    facts[f"unique {name} ({column.name})"] = "yes"
        for events, table_name in re.findall(r"AFTER ([A-Z ]+) ON (\w+)\n\s+FOR EACH ROW", self.text):
            facts[f"audit {table_name}"] = ", ".join(sorted(events.split(" OR ")))
        for extension in re.findall(r'^CREATE EXTENSION IF NOT EXISTS "(\w+)"', self.text, re.MULTILINE):
            facts[f"extension {extension}"] = "yes"
        for table_name in re.findall(r"^ALTER TABLE (\w+) FORCE ROW LEVEL SECURITY", self.text, re.MULTILINE):
            facts[f"row-level security {table_name}"] = "enabled, forced"
        return facts

    def _checks(self) -> dict[tuple[str, str], str]:
        pairs = re.findall(r"^-- (\w+) *\n(CHECK \(.*\))$", self.text, re.MULTILINE)
        return {_CHECKED[enum]: check for enum, check in pairs}


def _read(table: Table, line: str) -> None:
    if line.startswith("**Primary Key:**"):
        table.key = re.findall(r"\w+", line.removeprefix("**Primary Key:**"))
    elif line.startswith("**Partitioning:**"):
        key = re.findall(r"RANGE \((\w+)\)", line)[0]
        table.partitioning = f"by month of {key}" if "onthly" in line else f"by {key}"
    elif found := re.match(r"- `(\w+)` (.*?)(?: *--.*)?$", line):
        table.indexes.append((found[1], found[2]))
    elif line.startswith("|"):
        _read_column(table, [cell.strip() for cell in line.strip().strip("|").split("|")])


def _read_column(table: Table, cells: list[str]) -> None:
    if cells[0].startswith("Column") or not cells[0].strip("- "):
        return
    if cells[0] == "PRIMARY KEY":
        table.key = re.findall(r"\w+", cells[1])
        return
    name, type_, constraints, description = (*cells, "", "")[:4]
    table.columns.append(Column(name, type_, constraints, description))
