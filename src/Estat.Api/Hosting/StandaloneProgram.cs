// The standalone server as a program.
using Estat.Api.Options;
using Estat.Node.Running;

namespace Estat.Api.Hosting;

/// <summary>Its command line.</summary>
internal static class StandaloneProgram
{
    /// <summary>By the name that it is started with.</summary>
    internal static NodeProgram<EstatOptions> For(string command) => new(
        command, "Takes events over HTTP and stores them in S3 (or a folder) as gzip JSONL.", OptionTable.All, OptionTable.Bind,
        options => (options.Http, options.Node));
}
