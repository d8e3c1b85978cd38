// SPDX-License-Identifier: MIT

//go:build tools

// Package tools names h2spec so that go.mod and go.sum pin it and everything it is built from.
package tools

import _ "github.com/summerwind/h2spec/cmd/h2spec"
