"""What a schema of a database holds, as facts that can be compared with another schema's.

Belongs here: questions to PostgreSQL's catalog. Does not belong here: what the answers should be.
"""

import psycopg

Facts = dict[str, str]

_RELATIONS = """
    SELECT c.oid, c.relname, c.relkind
    FROM pg_class c
    WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind IN ('r', 'p', 'm', 'v') AND NOT c.relispartition
"""

_KINDS = {"r": "table", "p": "table", "m": "materialized view", "v": "view"}

# Each gives (fact, value). Names of the schema itself are cut out of the values, so that two schemas can be compared.
_SHAPE = f"""
    WITH relations AS ({_RELATIONS})
    SELECT format('column %%s.%%s', r.relname, a.attname),
        format_type(a.atttypid, a.atttypmod)
        || CASE WHEN a.attcollation NOT IN (0, t.typcollation) THEN ' COLLATE ' || quote_ident(l.collname) ELSE '' END
    FROM relations r
    JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_collation l ON l.oid = a.attcollation
  UNION ALL
    SELECT format('not null %%s.%%s', r.relname, a.attname), 'yes'
    FROM relations r
    JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND a.attnotnull
  UNION ALL
    SELECT format('default %%s.%%s', r.relname, a.attname), pg_get_expr(d.adbin, d.adrelid)
    FROM relations r
    JOIN pg_attrdef d ON d.adrelid = r.oid
    JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.adnum
  UNION ALL
    SELECT format('check %%s.%%s', r.relname, a.attname), pg_get_constraintdef(k.oid)
    FROM relations r
    JOIN pg_constraint k ON k.conrelid = r.oid AND k.contype = 'c'
    JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = k.conkey[1]
  UNION ALL
    SELECT format('index %%s', i.relname), pg_get_indexdef(i.oid)
    FROM relations r
    JOIN pg_index x ON x.indrelid = r.oid
    JOIN pg_class i ON i.oid = x.indexrelid
    WHERE i.relname !~ '_(pkey|key)$'
  UNION ALL
    SELECT format('definition %%s', r.relname), pg_get_viewdef(r.oid)
    FROM relations r
    WHERE r.relkind IN ('m', 'v')
"""

_KEYS = f"""
    WITH relations AS ({_RELATIONS}),
    keys AS (
        SELECT r.relname, k.*, (
            SELECT string_agg(a.attname, ', ' ORDER BY place)
            FROM unnest(k.conkey) WITH ORDINALITY AS c (attnum, place)
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = c.attnum
        ) AS columns
        FROM relations r
        JOIN pg_constraint k ON k.conrelid = r.oid
    )
    SELECT format('primary key %%s', relname), format('(%%s)', columns) FROM keys WHERE contype = 'p'
  UNION ALL
    SELECT format('unique %%s (%%s)', relname, columns), 'yes' FROM keys WHERE contype = 'u'
  UNION ALL
    SELECT format('foreign key %%s.%%s', keys.relname, columns),
        format('%%s(%%s)', keys.confrelid::regclass, a.attname)
        || CASE WHEN conenforced THEN '' ELSE ' NOT ENFORCED' END
    FROM keys
    JOIN pg_attribute a ON a.attrelid = keys.confrelid AND a.attnum = keys.confkey[1]
    WHERE contype = 'f'
  UNION ALL
    SELECT format('comment %%s.%%s', r.relname, a.attname), col_description(r.oid, a.attnum)
    FROM relations r
    JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0
    WHERE r.relkind IN ('r', 'p')
  UNION ALL
    SELECT format('policy %%s %%s', r.relname, p.polname),
        CASE p.polcmd WHEN '*' THEN '' ELSE 'for ' || p.polcmd::text || ' ' END
        || 'using ' || pg_get_expr(p.polqual, p.polrelid)
        || COALESCE(' with check ' || pg_get_expr(p.polwithcheck, p.polrelid), '')
    FROM relations r
    JOIN pg_policy p ON p.polrelid = r.oid
  UNION ALL
    SELECT format('row-level security %%s', c.relname),
        'enabled' || CASE WHEN c.relforcerowsecurity THEN ', forced' ELSE '' END
    FROM relations r
    JOIN pg_class c ON c.oid = r.oid
    WHERE c.relrowsecurity
  UNION ALL
    SELECT format('partitioning %%s', r.relname),
        CASE WHEN bool_or(child.relname ~ '_\\d{{4}}_\\d\\d_\\d\\d$') THEN 'by day of ' ELSE 'by month of ' END
        || a.attname
    FROM relations r
    JOIN pg_partitioned_table p ON p.partrelid = r.oid
    JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = p.partattrs[0]
    JOIN pg_inherits h ON h.inhparent = r.oid
    JOIN pg_class child ON child.oid = h.inhrelid
    GROUP BY r.relname, a.attname
  UNION ALL
    SELECT format('audit %%s', r.relname), string_agg(e.event, ', ' ORDER BY e.event)
    FROM relations r
    JOIN pg_trigger t ON t.tgrelid = r.oid AND t.tgfoid = 'public.audit_log_changes'::regproc
    JOIN (VALUES (4, 'INSERT'), (8, 'DELETE'), (16, 'UPDATE')) AS e (bit, event) ON t.tgtype & e.bit > 0
    GROUP BY r.relname
  UNION ALL
    SELECT format('extension %%s', extname), 'yes' FROM pg_extension WHERE extname <> 'plpgsql'
"""


def shape(connection: psycopg.Connection, schema: str) -> Facts:
    """Relations, columns, checks, indexes and definitions of views."""
    connection.execute("SELECT set_config('search_path', %s, false)", [f"{schema}, public"])
    facts = {f"relation {name}": kind for name, kind in relations(connection, schema).items()}
    for fact, value in connection.execute(_SHAPE, {"schema": schema}).fetchall():
        facts[fact] = " ".join(value.replace(f"{schema}.", "").replace(" ONLY ", " ").split())
    return facts


def keys(connection: psycopg.Connection) -> Facts:
    """Keys, comments, policies, partitioning, audit and extensions of schema public."""
    connection.execute("SET search_path TO public")
    rows = connection.execute(_KEYS, {"schema": "public"}).fetchall()
    return {fact: " ".join(value.split()) for fact, value in rows if value is not None}


def relations(connection: psycopg.Connection, schema: str) -> dict[str, str]:
    """Name and kind of every relation but partitions."""
    rows = connection.execute(_RELATIONS, {"schema": schema}).fetchall()
    return {name: _KINDS[kind] for _, name, kind in rows}
