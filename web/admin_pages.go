package web

// pageRoutes are the pages for people.
func pageRoutes() []route {
	return []route{
		{"GET", "/{$}", operator, overview},
		{"GET", "/accounts", operator, accountList},
		{"GET", "/accounts/{account}", operator, accountPage},
		{"GET", "/accounts/{account}/{file}", operator, accountCard},
		{"GET", "/jobs", operator, jobList},
		{"GET", "/jobs/{account}/{job}", operator, jobPage},
		{"GET", "/jobs/{account}/{job}/{album}", operator, albumPage},
		{"GET", "/portraits", operator, portraits},
		{"GET", "/photos/{id}", operator, photoPage},
		{"GET", "/photos/{id}/history/{sha}/{file}", operator, servePast},
		{"POST", "/photos/{id}/withdraw", operator, withdrawPhoto},
		{"POST", "/photos/{id}/restore", operator, restorePhoto},
		{"POST", "/photos/{id}/rotate", operator, rotateLink},
		{"POST", "/photos/{id}/revert", operator, revertPhoto},
		{"POST", "/photos/{id}/accept", operator, acceptPhoto},
		{"GET", "/problems", operator, problemList},
		{"GET", "/activity", operator, activityList},
		{"GET", "/trash", operator, trashList},
		{"GET", "/events", operator, events},
	}
}

// doneSentences are what ?done= can make a page say.
var doneSentences = map[string]string{
	"withdrawn": "Withdrawn: the link answers “not found” from now on.",
	"restored":  "Restored: the photo is published again, under its link.",
	"reverted":  "The earlier picture is shown again, under its link.",
	"accepted":  "Accepted: nobody is told of it any more.",
	"rotated":   "The link is a new one. The old one shows nothing any more.",
}
