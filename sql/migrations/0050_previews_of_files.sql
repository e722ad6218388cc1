-- Files tell their preview, too; and what both lines tell of a medium is more now. Where one of them knew nothing (an
-- export with an earlier query), the other does not contradict it.

SET LOCAL ROLE neanelu_owner;

ALTER TABLE pipeline.staging_files ADD COLUMN preview_url TEXT;

DROP TRIGGER shopify_media_other_fingerprint ON shopify_media;
CREATE TRIGGER shopify_media_other_fingerprint BEFORE UPDATE ON shopify_media
    FOR EACH ROW WHEN (current_setting('app.mirror_merge', true) = 'on'
                       AND ((NEW.media_type, NEW.alt, NEW.status, NEW.url, NEW.width, NEW.height, NEW.sources, NEW.metadata)
                            IS DISTINCT FROM
                            (OLD.media_type, OLD.alt, OLD.status, OLD.url, OLD.width, OLD.height, OLD.sources, OLD.metadata)
                            OR NEW.mime_type <> OLD.mime_type
                            OR NEW.duration <> OLD.duration
                            OR NEW.preview_url <> OLD.preview_url
                            OR NEW.created_at_shopify <> OLD.created_at_shopify))
    EXECUTE FUNCTION forget_other_fingerprint();
