#!/usr/bin/env bash
# Sets everything up and starts OKLA with its demo on the embedded PostgreSQL. Arguments go to the host: --urls, --data FOLDER, … A verb (import, simulate, train, evaluate, datasets, …; see help) does that instead of serving.
source "$(dirname "$0")/setup.sh"

dotnet build OKLA.Host -c Release --nologo -v quiet -clp:ErrorsOnly || missing "the host did not build (see above)."
export ASPNETCORE_ENVIRONMENT="${ASPNETCORE_ENVIRONMENT:-Development}"
case "${1:-}" in
  -h | --help) ;;
  '' | -*) set -- serve --DemoSeed:Enabled=true "$@" ;;
  serve) shift; set -- serve --DemoSeed:Enabled=true "$@" ;;
esac
exec dotnet .artifacts/bin/OKLA.Host/release/OKLA.Host.dll "$@"
