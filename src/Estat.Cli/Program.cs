// The command line: one verb, one folder, one line here.
using Estat.Cli.Bench;
using Estat.Cli.Campaigns;
using Estat.Cli.Check;
using Estat.Cli.Completion;
using Estat.Cli.Dlq;
using Estat.Cli.Drawing;
using Estat.Cli.Frame;
using Estat.Cli.Keys;
using Estat.Cli.Querying;
using Estat.Cli.Replaying;
using Estat.Cli.Requests;
using Estat.Cli.Run;
using Estat.Cli.Send;
using Estat.Cli.Spools;
using Estat.Cli.Tail;
using Estat.Cli.Topics;
using Estat.Cli.Uploads;
using Estat.Cli.Verifying;

return await CommandLine.RunAsync(args,
[
    RunVerb.Create(),
    CheckVerb.Create(),
    SendVerb.Create(),
    TailVerb.Create(),
    FlushVerb.Create(),
    RetryVerb.Create(),
    DlqVerb.Create(),
    SpoolsVerb.Create(),
    CampaignsVerb.Create(),
    RequestsVerb.Create(),
    DrawVerb.Create(),
    TopicsVerb.Create(),
    ProduceVerb.Create(),
    TopicsVerb.Letters(),
    VerifyVerb.Create(),
    ReplayVerb.Create(),
    QueryVerb.Create(),
    BenchVerb.Create(),
    KeysVerb.Create(),
    CompletionVerb.Create(),
]).ConfigureAwait(false);
