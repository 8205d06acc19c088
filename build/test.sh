#!/usr/bin/env bash
# Sets everything up and runs every test: .NET (unit, PostgreSQL, browser, faults) and front end. Ends with "N passed, N failed".
source "$(dirname "$0")/setup.sh"

if ! [ -x "${CHROMIUM_PATH:-/usr/bin/chromium}" ] && ! command -v chromium google-chrome chromium-browser >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >/dev/null || missing "Chromium could not be installed for the browser tests."
  else
    missing "the browser tests need Chromium: install it, or set CHROMIUM_PATH."
  fi
fi

dotnet build OKLA.sln --nologo -v quiet -clp:ErrorsOnly || missing "the solution did not build (see above)."

passed=0 failed=0
for project in tests/OKLA.ML.Algorithms.Tests tests/OKLA.Tests tests/OKLA.EndToEnd; do
  log="$(mktemp)"
  dotnet test "$project" --no-build --nologo 2>&1 | tee "$log" || true
  # The runner's closing line: "Passed!  - Failed: 0, Passed: 33, Skipped: 0, Total: 33, …". A run without one has failed.
  summary="$(grep -E 'Failed: +[0-9]+, Passed: +[0-9]+' "$log" | tail -n 1 || true)"
  if [ -z "$summary" ]; then
    echo "$project printed no summary."
    failed=$((failed + 1))
  else
    passed=$((passed + $(sed -E 's/.*Passed: +([0-9]+).*/\1/' <<<"$summary")))
    failed=$((failed + $(sed -E 's/.*Failed: +([0-9]+).*/\1/' <<<"$summary")))
  fi
  rm -f "$log"
done

report="$(mktemp)"
npm test --silent --prefix OKLA.Host/web -- --reporter=default --reporter=json --outputFile.json="$report" || true
read -r web_passed web_failed < <(node -e '
  const r = JSON.parse(require("fs").readFileSync(process.argv[1] || 0, "utf8") || "{}");
  console.log(r.numPassedTests ?? 0, r.success ? 0 : Math.max(1, r.numFailedTests ?? 1));' "$report")
rm -f "$report"
passed=$((passed + web_passed)) failed=$((failed + web_failed))

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
