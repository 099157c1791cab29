package web

import "html/template"

// pageRoutes are the pages for people.
func pageRoutes() []route { return nil }

// pageFuncs are what templates can call, besides asset.
var pageFuncs = template.FuncMap{}

// doneSentences are what ?done= can make a page say.
var doneSentences = map[string]string{}
