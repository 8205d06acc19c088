# Sourced by run.sh and test.sh: checks the tools, fetches the native parts, builds the front end. Does nothing twice.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"

missing() { printf 'OKLA cannot go on: %s\n' "$1" >&2; exit 1; }
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

command -v dotnet >/dev/null || missing "the .NET 10 SDK is not installed (https://dot.net)."
dotnet --list-sdks | grep -q '^10\.' || missing "the .NET SDK here is $(dotnet --version 2>/dev/null || echo unknown); version 10 is needed."
command -v node >/dev/null || missing "Node.js 20 or newer is not installed (https://nodejs.org)."
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || missing "Node.js is $(node --version); version 20 or newer is needed."

# npm ci, unless the lock file is the one that was installed last time.
install_packages() {
  local folder="$1" stamp="$1/node_modules/.okla-lock"
  cmp -s "$folder/package-lock.json" "$stamp" && return
  npm ci --prefix "$folder" --no-audit --no-fund --loglevel=error || missing "npm could not install $folder (see above)."
  cp "$folder/package-lock.json" "$stamp"
}

# vite build, unless nothing it reads is newer than what it wrote.
build_web() {
  local web=OKLA.Host/web out=OKLA.Host/wwwroot
  install_packages "$web"
  if [ ! -f "$out/index.html" ] || [ -n "$(find "$web" Shared/Texts.*.json -path "$web/node_modules" -prune -o -type f -newer "$out/index.html" -print -quit)" ]; then
    npm run --silent --prefix "$web" build || missing "the front end did not build (see above)."
    touch "$out/index.html"
  fi
}

install_packages build/native
build_web
