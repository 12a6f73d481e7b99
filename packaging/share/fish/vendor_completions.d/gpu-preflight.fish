# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_gpu_preflight_global_optspecs
    string join \n phase= deadline= tier= for= no-gpu log= osv= vulnerabilities= vex= as-process= root= oci= image-config= profile= contract= only= skip= checks= assume= dockerfile= compose= manifest= fail-on= exit-style= baseline= fail-on-new-only format= o/output= report= sarif-anchor= v/verbose q/quiet color= watch= h/help V/version
end

function __fish_gpu_preflight_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_gpu_preflight_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_gpu_preflight_using_subcommand
    set -l cmd (__fish_gpu_preflight_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l phase -d 'When in the life of the container this is: start (entrypoint), live (services are up) or build (image in CI) [default: exec: start; profile image: build; else live]' -r -f -a "live\t''
start\t''
build\t''"
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l deadline -d 'Time until the verdict, whatever hangs: 5, 5s, 2m [default: quick and standard: 10s; deep: 90s; soak: its time and 75s]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l tier -d 'How deep to look' -r -f -a "standard\t'Multiply on every GPU, timed and proven'
quick\t'Ask drivers and libraries alone: no CUDA context, no multiply'
deep\t'Multiply for a while, test memory and the links between GPUs: about a minute'
soak\t'The same, multiplying for as long as --for says'"
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l for -d 'How long the tier soak repeats its multiplies: 30, 30s, 10m, 1h [default: 10m]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l log -d 'Say how this log is written, by its last lines [default: what process 1 prints, where that is a file]' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l osv -d 'Hold what is installed against these advisories: an export of OSV (a folder, or a zip of one ecosystem), or an index that `osv-index` made of one. Without it or --vulnerabilities nobody looks for known vulnerabilities' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l vulnerabilities -d 'Take known vulnerabilities from this report of Trivy (`trivy image -f json`) or Grype (`grype -o json`) instead, as far as it speaks of what is installed here' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l vex -d 'Leave out the vulnerabilities that this `OpenVEX` document says are `not_affected` or fixed, as far as it names them and the installed package; may be given several times' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l as-process -d 'Look with the environment of this process, for a shell has not the workload\'s: 1, or what `ps` shows' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l root -d 'Look at the image that is unpacked in this folder and does not run, in the phase build' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l oci -d 'Look at the image in this OCI layout, or archive of one or of `docker save`, which is unpacked nowhere' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l image-config -d 'The image\'s configuration, as `docker image inspect` or `skopeo inspect --config` prints it; - reads standard input to its end, however long that takes' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l profile -d 'A profile by name (production, serving, training, notebook, image) or a file [default: production; with --root or --oci, and with --dockerfile alone: image]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l contract -d 'What the workload needs: it is judged too [default: gpu-preflight.toml in the working folder, where one lies there]' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l only -d 'Report only these checks: an id, a room, or a pattern with *' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l skip -d 'Leave these checks out' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l checks -d 'Add the checks of this folder: ROOM/STATE.toml' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l assume -d 'Judge as if there were this GPU or this driver: gpu=NAME, driver=VERSION, or both with a comma' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l dockerfile -d 'Judge the image that this Dockerfile would make, from its text alone; - reads standard input' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l compose -d 'Judge the services of this compose file that ask for a GPU, or all where none does, from its text alone, each with the image of --dockerfile where that is given' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l manifest -d 'The same of the containers in this manifest of Kubernetes: Pod, Deployment, `StatefulSet`, `DaemonSet`, Job, `CronJob`' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l fail-on -d 'What makes the verdict NOT READY, and the exit code 1: failures of this severity and of worse ones; never: no verdict does, and the exit code is 0 but for mistakes in usage, configuration and output [default: what the profile says, else high]' -r -f -a "critical\t'Critical failures alone'
high\t'High and critical ones'
medium\t'Medium ones and worse'
low\t'Low ones and worse: everything but info'
never\t'None'"
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l exit-style -d 'Whose exit codes to use' -r -f -a "default\t'Our own, as the table of exit codes has them'
npd\t'Kubernetes\' node-problem-detector: 0 OK, 1 a problem, anything else unknown; one line on standard output'
nagios\t'Nagios and its kin: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN; one line on standard output'
slurm\t'Prolog and health check of Slurm: only NOT READY drains the node'"
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l baseline -d 'Say what is new, as before and fixed since this recording, or report as JSON' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l format -d 'How the report is written' -r -f -a "text\t'For people at a terminal'
json\t'For programs: what came of it, with the facts that it rests on; with --verbose what holds too'
junit\t'JUnit XML, a suite for each dimension of the score'
sarif\t'SARIF 2.1.0, for code scanning'
github\t'Annotations of GitHub Actions, and the whole table in the summary of the step'
gitlab\t'GitLab\'s code quality report'
markdown\t'A table that fits a comment on a pull request'
html\t'A page to look at: one file that opens anywhere'
prometheus\t'Prometheus\' text format, for the textfile collector'
line\t'One line of at most 80 bytes'"
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -s o -l output -d 'Write to this file instead of the terminal; it is replaced whole or not at all. - is the terminal' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l report -d 'Write the report in this format too, for example junit=report.xml; as often as wanted. The path - is standard output, once and in place of the usual report. What --format takes is what this takes' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l sarif-anchor -d 'The place in the repository at which sarif, github and gitlab show a finding' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l color -d 'Whether text has colours: auto where a terminal shows it and `NO_COLOR` is not set' -r -f -a "auto\t'Where it is shown on a terminal'
always\t'Also in a file or a pipe'
never\t'Nowhere'"
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l watch -d 'Look again every second, or every so many, in the tier quick, and say on a line each what changed, and how that stands against the first look; until Ctrl-C, which gives the exit code of the last look. With --format json every line is an object' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l no-gpu -d 'This container is not meant to have a GPU'
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -l fail-on-new-only -d 'Let nothing gate that was so in the baseline: neither what failed there and is no worse, nor what could be told as little. Worse is: more severe, excused no longer, or with more items in a list'
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -s v -l verbose -d 'List what holds and what does not apply too, in text and in JSON'
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -s q -l quiet -d 'Print no report; the exit code, files that are named and mistakes say it all'
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -s V -l version -d 'Print version'
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -f -a "check" -d 'Look at this container, judge it, report'
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -f -a "config" -d 'Print what is in force for `check` with these options and variables, and who says it; nothing is looked at, and nothing is written but to standard output, as JSON with --format json'
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -f -a "exec" -d 'The same as an entrypoint, then become the command'
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -f -a "facts" -d 'Record what can be known about this container, as JSON'
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -f -a "judge" -d 'Report from a recording'
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -f -a "diff" -d 'Say what changed between two recordings or reports; exit code 0 where nothing did that matters, else 1; with --only or --skip findings alone decide that'
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -f -a "explain" -d 'Say why a check matters, how it is found and how it is fixed; find the checks that speak of a code or of words'
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -f -a "list" -d 'List all checks'
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -f -a "init" -d 'Write a contract to begin with: everything that the workload could ask for, with what is here as its value'
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -f -a "harden" -d 'Write what answers the findings: a Dockerfile, flags of docker run, a compose file and a patch of a pod'
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -f -a "bundle" -d 'Look, and write one archive to attach to a ticket: the recording, the reports, the end of the log, contract and profile, what looks like a secret taken out, with a list of what is inside; exit code 0 where it was written, whatever the verdict'
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -f -a "gpus" -d 'Say on which GPUs this image can run, from its files alone; exit code 2 where that cannot be told of any'
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -f -a "sbom" -d 'List every installed package as `CycloneDX` 1.6 JSON; exit code 2 where not all could be read'
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -f -a "osv-index" -d 'Make an index of an export of OSV, which `--osv` reads much faster'
complete -c gpu-preflight -n "__fish_gpu_preflight_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l phase -d 'When in the life of the container this is: start (entrypoint), live (services are up) or build (image in CI) [default: exec: start; profile image: build; else live]' -r -f -a "live\t''
start\t''
build\t''"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l deadline -d 'Time until the verdict, whatever hangs: 5, 5s, 2m [default: quick and standard: 10s; deep: 90s; soak: its time and 75s]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l tier -d 'How deep to look' -r -f -a "standard\t'Multiply on every GPU, timed and proven'
quick\t'Ask drivers and libraries alone: no CUDA context, no multiply'
deep\t'Multiply for a while, test memory and the links between GPUs: about a minute'
soak\t'The same, multiplying for as long as --for says'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l for -d 'How long the tier soak repeats its multiplies: 30, 30s, 10m, 1h [default: 10m]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l log -d 'Say how this log is written, by its last lines [default: what process 1 prints, where that is a file]' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l osv -d 'Hold what is installed against these advisories: an export of OSV (a folder, or a zip of one ecosystem), or an index that `osv-index` made of one. Without it or --vulnerabilities nobody looks for known vulnerabilities' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l vulnerabilities -d 'Take known vulnerabilities from this report of Trivy (`trivy image -f json`) or Grype (`grype -o json`) instead, as far as it speaks of what is installed here' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l vex -d 'Leave out the vulnerabilities that this `OpenVEX` document says are `not_affected` or fixed, as far as it names them and the installed package; may be given several times' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l as-process -d 'Look with the environment of this process, for a shell has not the workload\'s: 1, or what `ps` shows' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l root -d 'Look at the image that is unpacked in this folder and does not run, in the phase build' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l oci -d 'Look at the image in this OCI layout, or archive of one or of `docker save`, which is unpacked nowhere' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l image-config -d 'The image\'s configuration, as `docker image inspect` or `skopeo inspect --config` prints it; - reads standard input to its end, however long that takes' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l profile -d 'A profile by name (production, serving, training, notebook, image) or a file [default: production; with --root or --oci, and with --dockerfile alone: image]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l contract -d 'What the workload needs: it is judged too [default: gpu-preflight.toml in the working folder, where one lies there]' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l only -d 'Report only these checks: an id, a room, or a pattern with *' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l skip -d 'Leave these checks out' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l checks -d 'Add the checks of this folder: ROOM/STATE.toml' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l assume -d 'Judge as if there were this GPU or this driver: gpu=NAME, driver=VERSION, or both with a comma' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l dockerfile -d 'Judge the image that this Dockerfile would make, from its text alone; - reads standard input' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l compose -d 'Judge the services of this compose file that ask for a GPU, or all where none does, from its text alone, each with the image of --dockerfile where that is given' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l manifest -d 'The same of the containers in this manifest of Kubernetes: Pod, Deployment, `StatefulSet`, `DaemonSet`, Job, `CronJob`' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l fail-on -d 'What makes the verdict NOT READY, and the exit code 1: failures of this severity and of worse ones; never: no verdict does, and the exit code is 0 but for mistakes in usage, configuration and output [default: what the profile says, else high]' -r -f -a "critical\t'Critical failures alone'
high\t'High and critical ones'
medium\t'Medium ones and worse'
low\t'Low ones and worse: everything but info'
never\t'None'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l exit-style -d 'Whose exit codes to use' -r -f -a "default\t'Our own, as the table of exit codes has them'
npd\t'Kubernetes\' node-problem-detector: 0 OK, 1 a problem, anything else unknown; one line on standard output'
nagios\t'Nagios and its kin: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN; one line on standard output'
slurm\t'Prolog and health check of Slurm: only NOT READY drains the node'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l baseline -d 'Say what is new, as before and fixed since this recording, or report as JSON' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l format -d 'How the report is written' -r -f -a "text\t'For people at a terminal'
json\t'For programs: what came of it, with the facts that it rests on; with --verbose what holds too'
junit\t'JUnit XML, a suite for each dimension of the score'
sarif\t'SARIF 2.1.0, for code scanning'
github\t'Annotations of GitHub Actions, and the whole table in the summary of the step'
gitlab\t'GitLab\'s code quality report'
markdown\t'A table that fits a comment on a pull request'
html\t'A page to look at: one file that opens anywhere'
prometheus\t'Prometheus\' text format, for the textfile collector'
line\t'One line of at most 80 bytes'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -s o -l output -d 'Write to this file instead of the terminal; it is replaced whole or not at all. - is the terminal' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l report -d 'Write the report in this format too, for example junit=report.xml; as often as wanted. The path - is standard output, once and in place of the usual report. What --format takes is what this takes' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l sarif-anchor -d 'The place in the repository at which sarif, github and gitlab show a finding' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l color -d 'Whether text has colours: auto where a terminal shows it and `NO_COLOR` is not set' -r -f -a "auto\t'Where it is shown on a terminal'
always\t'Also in a file or a pipe'
never\t'Nowhere'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l watch -d 'Look again every second, or every so many, in the tier quick, and say on a line each what changed, and how that stands against the first look; until Ctrl-C, which gives the exit code of the last look. With --format json every line is an object' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l no-gpu -d 'This container is not meant to have a GPU'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -l fail-on-new-only -d 'Let nothing gate that was so in the baseline: neither what failed there and is no worse, nor what could be told as little. Worse is: more severe, excused no longer, or with more items in a list'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -s v -l verbose -d 'List what holds and what does not apply too, in text and in JSON'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -s q -l quiet -d 'Print no report; the exit code, files that are named and mistakes say it all'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l phase -d 'When in the life of the container this is: start (entrypoint), live (services are up) or build (image in CI) [default: exec: start; profile image: build; else live]' -r -f -a "live\t''
start\t''
build\t''"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l deadline -d 'Time until the verdict, whatever hangs: 5, 5s, 2m [default: quick and standard: 10s; deep: 90s; soak: its time and 75s]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l tier -d 'How deep to look' -r -f -a "standard\t'Multiply on every GPU, timed and proven'
quick\t'Ask drivers and libraries alone: no CUDA context, no multiply'
deep\t'Multiply for a while, test memory and the links between GPUs: about a minute'
soak\t'The same, multiplying for as long as --for says'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l for -d 'How long the tier soak repeats its multiplies: 30, 30s, 10m, 1h [default: 10m]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l log -d 'Say how this log is written, by its last lines [default: what process 1 prints, where that is a file]' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l osv -d 'Hold what is installed against these advisories: an export of OSV (a folder, or a zip of one ecosystem), or an index that `osv-index` made of one. Without it or --vulnerabilities nobody looks for known vulnerabilities' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l vulnerabilities -d 'Take known vulnerabilities from this report of Trivy (`trivy image -f json`) or Grype (`grype -o json`) instead, as far as it speaks of what is installed here' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l vex -d 'Leave out the vulnerabilities that this `OpenVEX` document says are `not_affected` or fixed, as far as it names them and the installed package; may be given several times' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l as-process -d 'Look with the environment of this process, for a shell has not the workload\'s: 1, or what `ps` shows' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l root -d 'Look at the image that is unpacked in this folder and does not run, in the phase build' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l oci -d 'Look at the image in this OCI layout, or archive of one or of `docker save`, which is unpacked nowhere' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l image-config -d 'The image\'s configuration, as `docker image inspect` or `skopeo inspect --config` prints it; - reads standard input to its end, however long that takes' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l profile -d 'A profile by name (production, serving, training, notebook, image) or a file [default: production; with --root or --oci, and with --dockerfile alone: image]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l contract -d 'What the workload needs: it is judged too [default: gpu-preflight.toml in the working folder, where one lies there]' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l only -d 'Report only these checks: an id, a room, or a pattern with *' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l skip -d 'Leave these checks out' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l checks -d 'Add the checks of this folder: ROOM/STATE.toml' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l assume -d 'Judge as if there were this GPU or this driver: gpu=NAME, driver=VERSION, or both with a comma' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l dockerfile -d 'Judge the image that this Dockerfile would make, from its text alone; - reads standard input' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l compose -d 'Judge the services of this compose file that ask for a GPU, or all where none does, from its text alone, each with the image of --dockerfile where that is given' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l manifest -d 'The same of the containers in this manifest of Kubernetes: Pod, Deployment, `StatefulSet`, `DaemonSet`, Job, `CronJob`' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l fail-on -d 'What makes the verdict NOT READY, and the exit code 1: failures of this severity and of worse ones; never: no verdict does, and the exit code is 0 but for mistakes in usage, configuration and output [default: what the profile says, else high]' -r -f -a "critical\t'Critical failures alone'
high\t'High and critical ones'
medium\t'Medium ones and worse'
low\t'Low ones and worse: everything but info'
never\t'None'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l exit-style -d 'Whose exit codes to use' -r -f -a "default\t'Our own, as the table of exit codes has them'
npd\t'Kubernetes\' node-problem-detector: 0 OK, 1 a problem, anything else unknown; one line on standard output'
nagios\t'Nagios and its kin: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN; one line on standard output'
slurm\t'Prolog and health check of Slurm: only NOT READY drains the node'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l baseline -d 'Say what is new, as before and fixed since this recording, or report as JSON' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l format -d 'How the report is written' -r -f -a "text\t'For people at a terminal'
json\t'For programs: what came of it, with the facts that it rests on; with --verbose what holds too'
junit\t'JUnit XML, a suite for each dimension of the score'
sarif\t'SARIF 2.1.0, for code scanning'
github\t'Annotations of GitHub Actions, and the whole table in the summary of the step'
gitlab\t'GitLab\'s code quality report'
markdown\t'A table that fits a comment on a pull request'
html\t'A page to look at: one file that opens anywhere'
prometheus\t'Prometheus\' text format, for the textfile collector'
line\t'One line of at most 80 bytes'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -s o -l output -d 'Write to this file instead of the terminal; it is replaced whole or not at all. - is the terminal' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l report -d 'Write the report in this format too, for example junit=report.xml; as often as wanted. The path - is standard output, once and in place of the usual report. What --format takes is what this takes' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l sarif-anchor -d 'The place in the repository at which sarif, github and gitlab show a finding' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l color -d 'Whether text has colours: auto where a terminal shows it and `NO_COLOR` is not set' -r -f -a "auto\t'Where it is shown on a terminal'
always\t'Also in a file or a pipe'
never\t'Nowhere'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l watch -d 'Look again every second, or every so many, in the tier quick, and say on a line each what changed, and how that stands against the first look; until Ctrl-C, which gives the exit code of the last look. With --format json every line is an object' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l no-gpu -d 'This container is not meant to have a GPU'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -l fail-on-new-only -d 'Let nothing gate that was so in the baseline: neither what failed there and is no worse, nor what could be told as little. Worse is: more severe, excused no longer, or with more items in a list'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -s v -l verbose -d 'List what holds and what does not apply too, in text and in JSON'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -s q -l quiet -d 'Print no report; the exit code, files that are named and mistakes say it all'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand config" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -l phase -d 'When in the life of the container this is: start (entrypoint), live (services are up) or build (image in CI) [default: exec: start; profile image: build; else live]' -r -f -a "live\t''
start\t''
build\t''"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -l deadline -d 'Time until the verdict, whatever hangs: 5, 5s, 2m [default: quick and standard: 10s; deep: 90s; soak: its time and 75s]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -l tier -d 'How deep to look' -r -f -a "standard\t'Multiply on every GPU, timed and proven'
quick\t'Ask drivers and libraries alone: no CUDA context, no multiply'
deep\t'Multiply for a while, test memory and the links between GPUs: about a minute'
soak\t'The same, multiplying for as long as --for says'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -l for -d 'How long the tier soak repeats its multiplies: 30, 30s, 10m, 1h [default: 10m]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -l log -d 'Say how this log is written, by its last lines [default: what process 1 prints, where that is a file]' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -l osv -d 'Hold what is installed against these advisories: an export of OSV (a folder, or a zip of one ecosystem), or an index that `osv-index` made of one. Without it or --vulnerabilities nobody looks for known vulnerabilities' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -l vulnerabilities -d 'Take known vulnerabilities from this report of Trivy (`trivy image -f json`) or Grype (`grype -o json`) instead, as far as it speaks of what is installed here' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -l vex -d 'Leave out the vulnerabilities that this `OpenVEX` document says are `not_affected` or fixed, as far as it names them and the installed package; may be given several times' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -l profile -d 'A profile by name (production, serving, training, notebook, image) or a file [default: production; with --root or --oci, and with --dockerfile alone: image]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -l contract -d 'What the workload needs: it is judged too [default: gpu-preflight.toml in the working folder, where one lies there]' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -l only -d 'Report only these checks: an id, a room, or a pattern with *' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -l skip -d 'Leave these checks out' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -l checks -d 'Add the checks of this folder: ROOM/STATE.toml' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -l fail-on -d 'What makes a verdict NOT READY, and so stops the workload: failures of this severity and of worse ones [default: what the profile says, else high]' -r -f -a "critical\t'Critical failures alone'
high\t'High and critical ones'
medium\t'Medium ones and worse'
low\t'Low ones and worse: everything but info'
never\t'None'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -l format -d 'How the report is written' -r -f -a "text\t'For people at a terminal'
json\t'For programs: what came of it, with the facts that it rests on; with --verbose what holds too'
junit\t'JUnit XML, a suite for each dimension of the score'
sarif\t'SARIF 2.1.0, for code scanning'
github\t'Annotations of GitHub Actions, and the whole table in the summary of the step'
gitlab\t'GitLab\'s code quality report'
markdown\t'A table that fits a comment on a pull request'
html\t'A page to look at: one file that opens anywhere'
prometheus\t'Prometheus\' text format, for the textfile collector'
line\t'One line of at most 80 bytes'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -s o -l output -d 'Write to this file instead of the terminal; it is replaced whole or not at all. - is the terminal' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -l report -d 'Write the report in this format too, for example junit=report.xml; as often as wanted. The path - is standard output, once and in place of the usual report. What --format takes is what this takes' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -l sarif-anchor -d 'The place in the repository at which sarif, github and gitlab show a finding' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -l color -d 'Whether text has colours: auto where a terminal shows it and `NO_COLOR` is not set' -r -f -a "auto\t'Where it is shown on a terminal'
always\t'Also in a file or a pipe'
never\t'Nowhere'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -l mode -d 'What to do with the verdict [default: what `GPU_PREFLIGHT_MODE` says, else enforce]' -r -f -a "enforce\t'NOT READY stops the workload'
report\t'Report, then start the workload whatever was found, be it a mistake in the configuration'
off\t'Start the workload at once, without looking'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -l no-gpu -d 'This container is not meant to have a GPU'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -s v -l verbose -d 'List what holds and what does not apply too, in text and in JSON'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -s q -l quiet -d 'Print no report; the exit code, files that are named and mistakes say it all'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -l block-on-incomplete -d 'Stop the workload on INCOMPLETE too'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand exec" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand facts" -l phase -d 'When in the life of the container this is: start (entrypoint), live (services are up) or build (image in CI) [default: exec: start; profile image: build; else live]' -r -f -a "live\t''
start\t''
build\t''"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand facts" -l deadline -d 'Time until the verdict, whatever hangs: 5, 5s, 2m [default: quick and standard: 10s; deep: 90s; soak: its time and 75s]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand facts" -l tier -d 'How deep to look' -r -f -a "standard\t'Multiply on every GPU, timed and proven'
quick\t'Ask drivers and libraries alone: no CUDA context, no multiply'
deep\t'Multiply for a while, test memory and the links between GPUs: about a minute'
soak\t'The same, multiplying for as long as --for says'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand facts" -l for -d 'How long the tier soak repeats its multiplies: 30, 30s, 10m, 1h [default: 10m]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand facts" -l log -d 'Say how this log is written, by its last lines [default: what process 1 prints, where that is a file]' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand facts" -l osv -d 'Hold what is installed against these advisories: an export of OSV (a folder, or a zip of one ecosystem), or an index that `osv-index` made of one. Without it or --vulnerabilities nobody looks for known vulnerabilities' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand facts" -l vulnerabilities -d 'Take known vulnerabilities from this report of Trivy (`trivy image -f json`) or Grype (`grype -o json`) instead, as far as it speaks of what is installed here' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand facts" -l vex -d 'Leave out the vulnerabilities that this `OpenVEX` document says are `not_affected` or fixed, as far as it names them and the installed package; may be given several times' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand facts" -l as-process -d 'Look with the environment of this process, for a shell has not the workload\'s: 1, or what `ps` shows' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand facts" -l root -d 'Look at the image that is unpacked in this folder and does not run, in the phase build' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand facts" -l oci -d 'Look at the image in this OCI layout, or archive of one or of `docker save`, which is unpacked nowhere' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand facts" -l image-config -d 'The image\'s configuration, as `docker image inspect` or `skopeo inspect --config` prints it; - reads standard input to its end, however long that takes' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand facts" -s o -l output -d 'Write to this file instead of standard output; it is replaced whole or not at all. - is standard output' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand facts" -l no-gpu -d 'This container is not meant to have a GPU'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand facts" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand judge" -l phase -d 'Judge for this phase instead of the one that was recorded' -r -f -a "live\t''
start\t''
build\t''"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand judge" -l profile -d 'A profile by name (production, serving, training, notebook, image) or a file [default: production; with --root or --oci, and with --dockerfile alone: image]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand judge" -l contract -d 'What the workload needs: it is judged too [default: gpu-preflight.toml in the working folder, where one lies there]' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand judge" -l only -d 'Report only these checks: an id, a room, or a pattern with *' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand judge" -l skip -d 'Leave these checks out' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand judge" -l checks -d 'Add the checks of this folder: ROOM/STATE.toml' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand judge" -l assume -d 'Judge as if there were this GPU or this driver: gpu=NAME, driver=VERSION, or both with a comma' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand judge" -l fail-on -d 'What makes the verdict NOT READY, and the exit code 1: failures of this severity and of worse ones; never: no verdict does, and the exit code is 0 but for mistakes in usage, configuration and output [default: what the profile says, else high]' -r -f -a "critical\t'Critical failures alone'
high\t'High and critical ones'
medium\t'Medium ones and worse'
low\t'Low ones and worse: everything but info'
never\t'None'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand judge" -l exit-style -d 'Whose exit codes to use' -r -f -a "default\t'Our own, as the table of exit codes has them'
npd\t'Kubernetes\' node-problem-detector: 0 OK, 1 a problem, anything else unknown; one line on standard output'
nagios\t'Nagios and its kin: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN; one line on standard output'
slurm\t'Prolog and health check of Slurm: only NOT READY drains the node'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand judge" -l baseline -d 'Say what is new, as before and fixed since this recording, or report as JSON' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand judge" -l format -d 'How the report is written' -r -f -a "text\t'For people at a terminal'
json\t'For programs: what came of it, with the facts that it rests on; with --verbose what holds too'
junit\t'JUnit XML, a suite for each dimension of the score'
sarif\t'SARIF 2.1.0, for code scanning'
github\t'Annotations of GitHub Actions, and the whole table in the summary of the step'
gitlab\t'GitLab\'s code quality report'
markdown\t'A table that fits a comment on a pull request'
html\t'A page to look at: one file that opens anywhere'
prometheus\t'Prometheus\' text format, for the textfile collector'
line\t'One line of at most 80 bytes'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand judge" -s o -l output -d 'Write to this file instead of the terminal; it is replaced whole or not at all. - is the terminal' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand judge" -l report -d 'Write the report in this format too, for example junit=report.xml; as often as wanted. The path - is standard output, once and in place of the usual report. What --format takes is what this takes' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand judge" -l sarif-anchor -d 'The place in the repository at which sarif, github and gitlab show a finding' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand judge" -l color -d 'Whether text has colours: auto where a terminal shows it and `NO_COLOR` is not set' -r -f -a "auto\t'Where it is shown on a terminal'
always\t'Also in a file or a pipe'
never\t'Nowhere'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand judge" -l fail-on-new-only -d 'Let nothing gate that was so in the baseline: neither what failed there and is no worse, nor what could be told as little. Worse is: more severe, excused no longer, or with more items in a list'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand judge" -s v -l verbose -d 'List what holds and what does not apply too, in text and in JSON'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand judge" -s q -l quiet -d 'Print no report; the exit code, files that are named and mistakes say it all'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand judge" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand diff" -l format -d 'How the table is written' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand diff" -l profile -d 'A profile by name (production, serving, training, notebook, image) or a file [default: production; with --root or --oci, and with --dockerfile alone: image]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand diff" -l contract -d 'What the workload needs: it is judged too [default: gpu-preflight.toml in the working folder, where one lies there]' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand diff" -l only -d 'Report only these checks: an id, a room, or a pattern with *' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand diff" -l skip -d 'Leave these checks out' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand diff" -l checks -d 'Add the checks of this folder: ROOM/STATE.toml' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand explain" -l checks -d 'Look among the checks of this folder too' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand explain" -s h -l help -d 'Print help'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand list" -l profile -d 'A profile by name (production, serving, training, notebook, image) or a file [default: production; with --root or --oci, and with --dockerfile alone: image]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand list" -l contract -d 'What the workload needs: it is judged too [default: gpu-preflight.toml in the working folder, where one lies there]' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand list" -l only -d 'Report only these checks: an id, a room, or a pattern with *' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand list" -l skip -d 'Leave these checks out' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand list" -l checks -d 'Add the checks of this folder: ROOM/STATE.toml' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand list" -s h -l help -d 'Print help'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand init" -l phase -d 'When in the life of the container this is: start (entrypoint), live (services are up) or build (image in CI) [default: exec: start; profile image: build; else live]' -r -f -a "live\t''
start\t''
build\t''"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand init" -l deadline -d 'Time until the verdict, whatever hangs: 5, 5s, 2m [default: quick and standard: 10s; deep: 90s; soak: its time and 75s]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand init" -l tier -d 'How deep to look' -r -f -a "standard\t'Multiply on every GPU, timed and proven'
quick\t'Ask drivers and libraries alone: no CUDA context, no multiply'
deep\t'Multiply for a while, test memory and the links between GPUs: about a minute'
soak\t'The same, multiplying for as long as --for says'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand init" -l for -d 'How long the tier soak repeats its multiplies: 30, 30s, 10m, 1h [default: 10m]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand init" -l log -d 'Say how this log is written, by its last lines [default: what process 1 prints, where that is a file]' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand init" -l osv -d 'Hold what is installed against these advisories: an export of OSV (a folder, or a zip of one ecosystem), or an index that `osv-index` made of one. Without it or --vulnerabilities nobody looks for known vulnerabilities' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand init" -l vulnerabilities -d 'Take known vulnerabilities from this report of Trivy (`trivy image -f json`) or Grype (`grype -o json`) instead, as far as it speaks of what is installed here' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand init" -l vex -d 'Leave out the vulnerabilities that this `OpenVEX` document says are `not_affected` or fixed, as far as it names them and the installed package; may be given several times' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand init" -s o -l output -d 'Write to this file instead of standard output; it is replaced whole or not at all' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand init" -l no-gpu -d 'This container is not meant to have a GPU'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l phase -d 'When in the life of the container this is: start (entrypoint), live (services are up) or build (image in CI) [default: exec: start; profile image: build; else live]' -r -f -a "live\t''
start\t''
build\t''"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l deadline -d 'Time until the verdict, whatever hangs: 5, 5s, 2m [default: quick and standard: 10s; deep: 90s; soak: its time and 75s]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l tier -d 'How deep to look' -r -f -a "standard\t'Multiply on every GPU, timed and proven'
quick\t'Ask drivers and libraries alone: no CUDA context, no multiply'
deep\t'Multiply for a while, test memory and the links between GPUs: about a minute'
soak\t'The same, multiplying for as long as --for says'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l for -d 'How long the tier soak repeats its multiplies: 30, 30s, 10m, 1h [default: 10m]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l log -d 'Say how this log is written, by its last lines [default: what process 1 prints, where that is a file]' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l osv -d 'Hold what is installed against these advisories: an export of OSV (a folder, or a zip of one ecosystem), or an index that `osv-index` made of one. Without it or --vulnerabilities nobody looks for known vulnerabilities' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l vulnerabilities -d 'Take known vulnerabilities from this report of Trivy (`trivy image -f json`) or Grype (`grype -o json`) instead, as far as it speaks of what is installed here' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l vex -d 'Leave out the vulnerabilities that this `OpenVEX` document says are `not_affected` or fixed, as far as it names them and the installed package; may be given several times' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l as-process -d 'Look with the environment of this process, for a shell has not the workload\'s: 1, or what `ps` shows' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l root -d 'Look at the image that is unpacked in this folder and does not run, in the phase build' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l oci -d 'Look at the image in this OCI layout, or archive of one or of `docker save`, which is unpacked nowhere' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l image-config -d 'The image\'s configuration, as `docker image inspect` or `skopeo inspect --config` prints it; - reads standard input to its end, however long that takes' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l profile -d 'A profile by name (production, serving, training, notebook, image) or a file [default: production; with --root or --oci, and with --dockerfile alone: image]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l contract -d 'What the workload needs: it is judged too [default: gpu-preflight.toml in the working folder, where one lies there]' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l only -d 'Report only these checks: an id, a room, or a pattern with *' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l skip -d 'Leave these checks out' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l checks -d 'Add the checks of this folder: ROOM/STATE.toml' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l assume -d 'Judge as if there were this GPU or this driver: gpu=NAME, driver=VERSION, or both with a comma' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l from -d 'Answer a recording or a report as JSON instead of looking at this container' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l into -d 'Write the files into this folder, which is made where it is not there, instead of printing them' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l file -d 'Print this file alone' -r -f -a "Dockerfile.hardened\t''
docker-run.sh\t''
compose.hardened.yaml\t''
pod-patch.yaml\t''
left-to-do.txt\t''"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l uid -d 'The user that the workload is to run as, where it runs as root now' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -l no-gpu -d 'This container is not meant to have a GPU'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand harden" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -l phase -d 'When in the life of the container this is: start (entrypoint), live (services are up) or build (image in CI) [default: exec: start; profile image: build; else live]' -r -f -a "live\t''
start\t''
build\t''"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -l deadline -d 'Time until the verdict, whatever hangs: 5, 5s, 2m [default: quick and standard: 10s; deep: 90s; soak: its time and 75s]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -l tier -d 'How deep to look' -r -f -a "standard\t'Multiply on every GPU, timed and proven'
quick\t'Ask drivers and libraries alone: no CUDA context, no multiply'
deep\t'Multiply for a while, test memory and the links between GPUs: about a minute'
soak\t'The same, multiplying for as long as --for says'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -l for -d 'How long the tier soak repeats its multiplies: 30, 30s, 10m, 1h [default: 10m]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -l log -d 'Say how this log is written, by its last lines [default: what process 1 prints, where that is a file]' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -l osv -d 'Hold what is installed against these advisories: an export of OSV (a folder, or a zip of one ecosystem), or an index that `osv-index` made of one. Without it or --vulnerabilities nobody looks for known vulnerabilities' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -l vulnerabilities -d 'Take known vulnerabilities from this report of Trivy (`trivy image -f json`) or Grype (`grype -o json`) instead, as far as it speaks of what is installed here' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -l vex -d 'Leave out the vulnerabilities that this `OpenVEX` document says are `not_affected` or fixed, as far as it names them and the installed package; may be given several times' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -l as-process -d 'Look with the environment of this process, for a shell has not the workload\'s: 1, or what `ps` shows' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -l root -d 'Look at the image that is unpacked in this folder and does not run, in the phase build' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -l oci -d 'Look at the image in this OCI layout, or archive of one or of `docker save`, which is unpacked nowhere' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -l image-config -d 'The image\'s configuration, as `docker image inspect` or `skopeo inspect --config` prints it; - reads standard input to its end, however long that takes' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -l profile -d 'A profile by name (production, serving, training, notebook, image) or a file [default: production; with --root or --oci, and with --dockerfile alone: image]' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -l contract -d 'What the workload needs: it is judged too [default: gpu-preflight.toml in the working folder, where one lies there]' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -l only -d 'Report only these checks: an id, a room, or a pattern with *' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -l skip -d 'Leave these checks out' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -l checks -d 'Add the checks of this folder: ROOM/STATE.toml' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -l assume -d 'Judge as if there were this GPU or this driver: gpu=NAME, driver=VERSION, or both with a comma' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -l from -d 'Bundle a recording or a report as JSON instead of looking at this container; of logs only the one that --log names' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -s o -l output -d 'Write to this file, which is replaced whole or not at all; - is standard output [default: gpu-preflight-bundle.tar.gz in the working folder, where none is yet]' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -l no-gpu -d 'This container is not meant to have a GPU'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand bundle" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand gpus" -l from -d 'Read the image from this recording instead of this container' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand gpus" -l as-process -d 'Look with the environment of this process, for a shell has not the workload\'s: 1, or what `ps` shows' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand gpus" -l root -d 'Look at the image that is unpacked in this folder and does not run, in the phase build' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand gpus" -l oci -d 'Look at the image in this OCI layout, or archive of one or of `docker save`, which is unpacked nowhere' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand gpus" -l image-config -d 'The image\'s configuration, as `docker image inspect` or `skopeo inspect --config` prints it; - reads standard input to its end, however long that takes' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand gpus" -l format -d 'How the table is written' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand gpus" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand sbom" -l as-process -d 'Look with the environment of this process, for a shell has not the workload\'s: 1, or what `ps` shows' -r
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand sbom" -l root -d 'Look at the image that is unpacked in this folder and does not run, in the phase build' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand sbom" -l oci -d 'Look at the image in this OCI layout, or archive of one or of `docker save`, which is unpacked nowhere' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand sbom" -l image-config -d 'The image\'s configuration, as `docker image inspect` or `skopeo inspect --config` prints it; - reads standard input to its end, however long that takes' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand sbom" -s o -l output -d 'Write to this file instead of standard output; it is replaced whole or not at all. - is standard output' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand sbom" -s h -l help -d 'Print help'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand osv-index" -l output -d 'Where the index is written; it is replaced whole or not at all' -r -F
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand osv-index" -s h -l help -d 'Print help'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand help; and not __fish_seen_subcommand_from check config exec facts judge diff explain list init harden bundle gpus sbom osv-index help" -f -a "check" -d 'Look at this container, judge it, report'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand help; and not __fish_seen_subcommand_from check config exec facts judge diff explain list init harden bundle gpus sbom osv-index help" -f -a "config" -d 'Print what is in force for `check` with these options and variables, and who says it; nothing is looked at, and nothing is written but to standard output, as JSON with --format json'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand help; and not __fish_seen_subcommand_from check config exec facts judge diff explain list init harden bundle gpus sbom osv-index help" -f -a "exec" -d 'The same as an entrypoint, then become the command'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand help; and not __fish_seen_subcommand_from check config exec facts judge diff explain list init harden bundle gpus sbom osv-index help" -f -a "facts" -d 'Record what can be known about this container, as JSON'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand help; and not __fish_seen_subcommand_from check config exec facts judge diff explain list init harden bundle gpus sbom osv-index help" -f -a "judge" -d 'Report from a recording'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand help; and not __fish_seen_subcommand_from check config exec facts judge diff explain list init harden bundle gpus sbom osv-index help" -f -a "diff" -d 'Say what changed between two recordings or reports; exit code 0 where nothing did that matters, else 1; with --only or --skip findings alone decide that'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand help; and not __fish_seen_subcommand_from check config exec facts judge diff explain list init harden bundle gpus sbom osv-index help" -f -a "explain" -d 'Say why a check matters, how it is found and how it is fixed; find the checks that speak of a code or of words'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand help; and not __fish_seen_subcommand_from check config exec facts judge diff explain list init harden bundle gpus sbom osv-index help" -f -a "list" -d 'List all checks'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand help; and not __fish_seen_subcommand_from check config exec facts judge diff explain list init harden bundle gpus sbom osv-index help" -f -a "init" -d 'Write a contract to begin with: everything that the workload could ask for, with what is here as its value'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand help; and not __fish_seen_subcommand_from check config exec facts judge diff explain list init harden bundle gpus sbom osv-index help" -f -a "harden" -d 'Write what answers the findings: a Dockerfile, flags of docker run, a compose file and a patch of a pod'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand help; and not __fish_seen_subcommand_from check config exec facts judge diff explain list init harden bundle gpus sbom osv-index help" -f -a "bundle" -d 'Look, and write one archive to attach to a ticket: the recording, the reports, the end of the log, contract and profile, what looks like a secret taken out, with a list of what is inside; exit code 0 where it was written, whatever the verdict'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand help; and not __fish_seen_subcommand_from check config exec facts judge diff explain list init harden bundle gpus sbom osv-index help" -f -a "gpus" -d 'Say on which GPUs this image can run, from its files alone; exit code 2 where that cannot be told of any'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand help; and not __fish_seen_subcommand_from check config exec facts judge diff explain list init harden bundle gpus sbom osv-index help" -f -a "sbom" -d 'List every installed package as `CycloneDX` 1.6 JSON; exit code 2 where not all could be read'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand help; and not __fish_seen_subcommand_from check config exec facts judge diff explain list init harden bundle gpus sbom osv-index help" -f -a "osv-index" -d 'Make an index of an export of OSV, which `--osv` reads much faster'
complete -c gpu-preflight -n "__fish_gpu_preflight_using_subcommand help; and not __fish_seen_subcommand_from check config exec facts judge diff explain list init harden bundle gpus sbom osv-index help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
