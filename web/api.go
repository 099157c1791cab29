package web

// apiRoutes are the API for programs.
func apiRoutes() []route { return nil }
