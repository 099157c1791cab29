package store

// An excuse permits a statement to read any number of rows: the beginning of the
// statement, a part of it, and the reason.
type excuse struct{ begins, has, why string }

var excuses = []excuse{
	// The plan does not show that only one row is read.
	{"SELECT EXISTS (SELECT 1 FROM upload WHERE (gone_at, id) > (?, ?)", "", "the first row in the order of the index is the answer"},
	{"SELECT coalesce((SELECT max(changed_at) FROM photo", "", "each max is the last row of an index"},
	{"SELECT coalesce(max(changed_at), 0) FROM photo WHERE account_id = ?", "", "the max is the last row of an index"},
	{"SELECT t.photos, t.problems, coalesce((SELECT max(ingested_at)", "", "the max is the last row of an index"},
	{"DELETE FROM activity WHERE id IN (SELECT id FROM activity WHERE account_id", "", "the first rows of an index, as far as the limit"},
	{"SELECT EXISTS (SELECT 1 FROM photo WHERE withdrawn_at < ?1)", "original WHERE refs = 0", "each is answered by the first row of an index"},
	{"DELETE FROM job WHERE id = ?1 AND account_id = ?2", "withheld", "each EXISTS is answered by the first row of an index"},
	{"SELECT sha256 FROM original WHERE refs = 0 LIMIT", "", "the index holds nothing but what is to be collected"},

	// Run once for a command that somebody types.
	{"UPDATE photo SET withdrawn_at = ?1, changed_at = ?3 WHERE account_id = ?2", "", "an account is removed: what EmptyAccount has left"},
	{"DELETE FROM upload WHERE ?1 AND account_id = ?2 AND ?3", "", "an account is removed: what EmptyAccount has left"},
	{"DELETE FROM upload WHERE account_id = ? AND reason IS NOT NULL AND photo_id IS NULL", "", "an account comes back with another pattern"},
	{"UPDATE upload SET since = ?1, delete_after", "", "an account comes back; its strays"},
	{"DELETE FROM upload", "", "a restore, into a catalogue that nobody uses yet"},
	{"SELECT NOT EXISTS (SELECT 1 FROM account)", "", "a restore: the first row of each is the answer"},
	{"SELECT account_id, id FROM photo WHERE withdrawn_at IS NULL OR", "", "a restore"},
	{"SELECT id FROM photo WHERE withdrawn_at IS NULL AND NOT EXISTS", "", "a restore"},
	{"UPDATE photo SET withdrawn_at = ? WHERE withdrawn_by", "", "a restore"},
	{"UPDATE original SET held = 1 WHERE codes IS NULL", "", "a restore"},
	{"SELECT count(*) FROM original o JOIN photo p", "o.held", "a restore"},
	{"SELECT CAST(s.id AS TEXT) FROM subject s", "", "verify"},
	{"SELECT CAST(x.photo_id AS TEXT) FROM subject_photo x", "", "verify"},
	{"SELECT t.why FROM series_tally t", "", "verify"},
	{"SELECT count(*) FROM proposal WHERE state = 'open'", "", "the index holds nothing but what waits, at most one of an album"},
	{"SELECT count(*) FROM upload WHERE gone_at IS NULL", "", "picday init, for a volume that is new"},
	{"SELECT count(*) FROM photo p JOIN account a", "", "an account is to be removed: what would be lost"},
	{"SELECT count(*) FROM upload WHERE job_id = ? AND gone_at IS NOT NULL", "", "a job is activated: its missing files, by an index of their own"},
	{"SELECT path_shown, at FROM activity WHERE account_id = ? AND event = ?", "", "picday explain: the activity of one account, which is bounded"},
	{"SELECT count(*), coalesce(sum(bytes), 0) FROM original o WHERE o.refs > 0", "", "a backup, or verify"},
	{"SELECT sha256, '', 0, 0 FROM original WHERE sha256 BETWEEN", "", "verify, one directory of 256 at a time"},
	{"SELECT coalesce(min(a.name), '')", "", "verify, for a picture that is damaged"},
	{"SELECT a.name, min(p.path_shown) FROM photo p JOIN account a", "", "verify"},
	{"SELECT a.name, p.path_shown FROM photo p JOIN account a", "NOT EXISTS (SELECT 1 FROM upload", "verify"},

	{"DELETE FROM subject", " WHERE ?1 AND account_id = ?2 AND ?3", "an account is removed"},
	{"DELETE FROM subject_photo WHERE ?1 AND ?3", "", "an account is removed"},
	{"DELETE FROM crop_rule WHERE ?1", "", "an account is removed"},

	// The people of one job or school, however many photos there are of them.
	{"SELECT class, count(*), sum(photos = 0) FROM subject", "", "a page counts the people of one job or school by class"},
	{"SELECT x.subject_id, x.photo_id FROM subject s CROSS JOIN pose", "", "an export of the people of one job or school"},
	{"SELECT photo_id FROM subject_photo WHERE subject_id = ?", "", "one person's photos"},

	// Cards: an album or a job at a time, and only those that have cards.
	{"SELECT p.id, p.account_id, p.file, p.area IS 'group'", "", "whose the photos of one album are, after it has changed"},
	{"SELECT s.photo_id, s.subject_id, s.way", "", "whose the photos of one album are, after it has changed"},
	{"SELECT j.id, j.name, j.photos, j.problems, j.files, j.expected, j.replaced", "", "a receipt: the max is the last row of an index"},
	{"SELECT coalesce(album, ''), max(changed_at) FROM photo", "", "a receipt: what has changed since the one before"},
	{"SELECT p.file, coalesce(o.serial, ''), coalesce(o.model, '') FROM photo p", "", "a receipt: one album, after it has changed"},
	{"SELECT why, count(*) FROM series WHERE job_id = ?", "", "a page counts the cards of one job, and what is nobody's"},

	// The outbox: pruned to a number of notices, however many photos there are.
	{"UPDATE delivery INDEXED BY delivery_waiting", "", "what waits, in one lane"},
	{"UPDATE lane SET", "EXISTS (SELECT 1 FROM delivery d", "the first row of an index is the answer"},
	{"SELECT via, count(*), min(at) FROM delivery WHERE state = 'waiting'", "", "the index holds nothing but what waits"},
	{"UPDATE delivery SET state = 'waiting'", "", "a command"},
	{"INSERT INTO lane", "FROM delivery WHERE state = 'waiting'", "a command"},
	{"UPDATE delivery SET state = 'given-up', at = ? WHERE via = ? AND state = 'waiting'", "", "a receiver that is no longer configured, when picdayd starts"},
	{"UPDATE delivery SET state = 'given-up', at = ? WHERE state = 'waiting'", "", "a restore"},
	{"DELETE FROM notice WHERE ?1 AND account_id = ?2", "", "an account is removed"},

	{"UPDATE upload SET again = 1 WHERE account_id = ? AND dir = ?", "", "the name of a folder gets another meaning: its files"},

	// Run once per start of picdayd.
	{"SELECT count(*) FROM original o WHERE (coalesce", "", "are there renditions to be made anew? asked once"},

	// These read only as many rows as they return or change.
	{"SELECT p.id FROM photo p INDEXED BY photo_other_shot", "", "the index holds nothing but the notices that people are to read"},
	{"SELECT a.name, count(*) FROM photo p INDEXED BY photo_other_shot", "", "the index holds nothing but the notices that people are to read"},
	{"SELECT id FROM photo WHERE replaced = ? AND account_id = ?", "", "the photos that took the place of one picture: one, or few"},
	{"SELECT coalesce(a.taken_local / 1000 <> b.taken_local", "", "two rows by their keys"},
	{"SELECT p.id FROM photo p JOIN original o", "WHERE p.id > ? AND +p.account_id = ?", "an account gets another time zone"},
	{"SELECT name, identity FROM upload WHERE account_id = ? AND dir = ?", "", "what is known of a directory, when it is listed"},
	{"WITH RECURSIVE d (dir)", "", "one step through the index for each directory, when a tree is scanned"},
	{"SELECT id, dir, name, identity", "WHERE account_id = ? AND reason = ?", "the duplicates of an account, when the folder of all is gone"},
	{"SELECT u.id, a.name, u.dir, u.name, u.identity, u.reason", "ORDER BY a.name, u.dir, u.name", "the command that lists all problems"},
	{"SELECT p.id, p.account_id", "ORDER BY a.name, p.path, p.id", "the commands that list all photos, or the trash"},
	{"SELECT p.id, p.account_id", "ORDER BY coalesce(o.taken_local", "a page sorts one album by the time taken; without an album only tests do"},
	{"SELECT p.id FROM photo p", "ORDER BY coalesce(o.taken_local", "the neighbour in one album by the time taken"},
	{"SELECT p.id, p.account_id", "p.person IS NOT NULL ORDER BY p.person, p.id", "pages list one account; without one only tests do"},
	{"SELECT p.id, p.account_id", "ORDER BY p.sort, p.id", "pages list one album; without one only tests do"},
	{"SELECT p.id, p.account_id", "p.account_id = ? ORDER BY p.ingested_at DESC", "only tests list withdrawn ones too"},
	{"SELECT p.id, p.account_id", "WHERE a.state <> 'gone' ORDER BY p.ingested_at DESC", "only tests list withdrawn ones too"},
}
