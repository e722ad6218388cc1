AND m.{fingerprint} IS NULL
