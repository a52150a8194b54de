// The command line: one verb, one folder, one line here.
using Estat.Cli.Completion;
using Estat.Cli.Frame;
using Estat.Cli.Run;
using Estat.Cli.Send;

return await CommandLine.RunAsync(args,
[
    RunVerb.Create(),
    SendVerb.Create(),
    CompletionVerb.Create(),
]).ConfigureAwait(false);
