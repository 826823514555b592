# Sourced by the scripts beside it, which set here and root.

# Prints message $1 and exits with code $2.
fail() {
  echo "$1" >&2
  exit "$2"
}

# Sets JAVA_HOME, and builds if a source is newer than the class path file.
# Arguments: the class path file, then options for Maven.
build_classpath() {
  JAVA_HOME=$("$root/rdm" --java-home) || exit 1
  export JAVA_HOME
  classpath=$1
  shift
  if [ ! -f "$classpath" ] || [ -n "$(find "$root" -path '*/src/main/*' -newer "$classpath" \
    -type f -print 2>/dev/null | head -n 1)" ]; then
    echo "building ..." >&2
    (cd "$root" && ./mvnw -q "$@" -DskipTests package) || fail "the build failed" 1
    touch "$classpath"
  fi
}
