-- Only its owner and superusers may connect: by default everybody who can log in may.
REVOKE CONNECT ON DATABASE {database} FROM PUBLIC
