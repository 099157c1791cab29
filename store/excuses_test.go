package store

// An excuse is for a statement that may read as much as there is: how it
// begins, what it contains, and why it may.
type excuse struct{ begins, has, why string }

var excuses = []excuse{
	// The plan does not show that only one row is read.
	{"SELECT EXISTS (SELECT 1 FROM upload WHERE (gone_at, id) > (?, ?)", "", "the first row in the order of the index is the answer"},
	{"SELECT coalesce((SELECT max(changed_at) FROM photo", "", "each max is the last row of an index"},
	{"SELECT coalesce(max(changed_at), 0) FROM photo WHERE account_id = ?", "", "the max is the last row of an index"},
	{"SELECT t.photos, t.problems, coalesce((SELECT max(ingested_at)", "", "the max is the last row of an index"},
	{"DELETE FROM activity WHERE id IN (SELECT id FROM activity WHERE account_id", "", "the first rows of an index, as far as the limit"},
	{"SELECT EXISTS (SELECT 1 FROM photo WHERE withdrawn_at < ?1)", "original WHERE refs = 0", "each is answered by the first row of an index"},
	{"SELECT sha256 FROM original WHERE refs = 0 LIMIT", "", "the index holds nothing but what is to be collected"},

	// Once for something that people do, in a command.
	{"UPDATE photo SET withdrawn_at = ?1, changed_at = ?3 WHERE account_id = ?2", "", "an account is removed, all at once"},
	{"DELETE FROM upload WHERE ?1 AND account_id = ?2 AND ?3", "", "an account is removed, all at once"},
	{"DELETE FROM upload WHERE account_id = ? AND reason IS NOT NULL AND photo_id IS NULL", "", "an account comes back with another pattern"},
	{"UPDATE upload SET since = ?1, delete_after", "", "an account comes back; its strays"},
	{"DELETE FROM upload", "", "a restore, into a catalogue that nobody uses yet"},
	{"SELECT NOT EXISTS (SELECT 1 FROM account)", "", "a restore: the first row of each is the answer"},
	{"SELECT account_id, id FROM photo WHERE withdrawn_at IS NULL OR", "", "a restore"},
	{"SELECT id FROM photo WHERE withdrawn_at IS NULL AND NOT EXISTS", "", "a restore"},
	{"UPDATE photo SET withdrawn_at = ? WHERE withdrawn_by", "", "a restore"},
	{"SELECT count(*) FROM upload WHERE gone_at IS NULL", "", "picday init, for a volume that is new"},
	{"SELECT count(*) FROM upload WHERE job_id = ? AND gone_at IS NOT NULL", "", "a job is activated: its missing files, by an index of their own"},
	{"SELECT path_shown, at FROM activity WHERE account_id = ? AND event = ?", "", "picday explain: the activity of one account, which is bounded"},
	{"SELECT count(*), coalesce(sum(bytes), 0) FROM original o WHERE o.refs > 0", "", "a backup, or verify"},
	{"SELECT sha256, '', 0, 0 FROM original WHERE sha256 BETWEEN", "", "verify, one directory of 256 at a time"},
	{"SELECT sha256, name, longest, quality FROM rendition WHERE sha256 BETWEEN", "", "verify, one directory of 256 at a time"},
	{"SELECT coalesce(min(a.name), '')", "", "verify, for a picture that is damaged"},
	{"SELECT a.name, min(p.path_shown) FROM photo p JOIN account a", "", "verify"},
	{"SELECT a.name, p.path_shown FROM photo p JOIN account a", "NOT EXISTS (SELECT 1 FROM upload", "verify"},

	// Once for each start of picdayd.
	{"SELECT count(*) FROM original o WHERE coalesce", "", "are there renditions to be made anew? asked once"},

	// As much as what was asked for.
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
	{"SELECT p.id, p.account_id", "ORDER BY p.file, p.id", "pages list one album; without one only tests do"},
	{"SELECT p.id, p.account_id", "p.person IS NOT NULL ORDER BY p.person, p.id", "pages list one account; without one only tests do"},
	{"SELECT p.id, p.account_id", "p.account_id = ? ORDER BY p.ingested_at DESC", "only tests list withdrawn ones too"},
	{"SELECT p.id, p.account_id", "WHERE a.state <> 'gone' ORDER BY p.ingested_at DESC", "only tests list withdrawn ones too"},
}
