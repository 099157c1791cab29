package photo

// renditionStyle is what renditions are written in.
var renditionStyle = style{h: 2, v: 2, mode: optimalTables}
