// Package mirror keeps a directory of pictures in step with a picday installation, for
// tills that must work without the network. It speaks to the installation's API alone.
//
//	read the whole list; fetch what is missing or differs; remove what is not in it
//	for ever:
//		ask what has changed since, and wait for it
//		withdrawn: remove the file at once
//		else: fetch the picture, compare its hash with the list's, rename it into place
//		when all up to a point is done, write that point into the state file
//
// What it promises: the directory has nothing but whole pictures under their names and
// one hidden directory, .picday-mirror, whenever somebody looks, also after a kill or a
// power cut. Whatever the server answers, nothing is written outside of the directory, and
// nothing under a picture's name whose bytes are not those that the list names. The token
// goes to the address that was given and nowhere else; no redirect is followed.
//
// Not: what the server says is believed. One that is taken over can show another picture,
// or have all of them removed.
package mirror
