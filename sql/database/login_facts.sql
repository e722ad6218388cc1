-- Who logged in, whatever role the session was started as: may it be the role that it is for, and may it become one
-- that row-level security does not bind.
SELECT
    session_user::text AS login,
    coalesce(pg_has_role(session_user, to_regrole(%(role)s)::oid, 'SET'), false) AS may_be_it,
    EXISTS (
        SELECT FROM pg_roles AS other
        WHERE
            pg_has_role(session_user, other.oid, 'MEMBER')
            AND (other.rolsuper OR %(bound)s AND (other.rolbypassrls OR other.rolname = 'neanelu_owner'))
    ) AS may_be_more
