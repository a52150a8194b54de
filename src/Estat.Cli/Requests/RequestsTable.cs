// `estat requests create-table`, `estat requests restore-table`: DynamoDB's table.
using Estat.Api.Options;
using Estat.Cli.Frame;
using Estat.Cli.Run;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Hosting;
using Estat.Requests.Options;
using Estat.Requests.Storing;

namespace Estat.Cli.Requests;

/// <summary>They read the options as the server does: REQUESTS_TABLE, AWS_REGION, REQUESTS_DYNAMODB_ENDPOINT.</summary>
internal static class RequestsTable
{
    /// <summary><c>create-table</c>.</summary>
    internal static Command Create() => With("create-table", "Makes the DynamoDB table that REQUESTS_TABLE names, unless it is there", [],
        async (_, options, region, shell) =>
        {
            bool isNew = await TableSchema.MakeAsync(options, region, shell.Asked).ConfigureAwait(false);
            shell.Note(isNew ? $"{options.Table} is ready. deploy/aws makes it with point-in-time recovery and protection from deletion."
                : $"{options.Table} was there already. Nothing was changed.");
        });

    /// <summary><c>restore-table</c>.</summary>
    internal static Command Restore()
    {
        var resume = new Option<bool>("--resume") { Description = "Lets the nodes accept requests again" };
        return With("restore-table", "Prepares a DynamoDB table that was restored from a backup, which accepts nothing before --resume", [resume],
            async (parsed, options, region, shell) =>
            {
                if (parsed.GetValue(resume))
                {
                    await TableRestore.ResumeAsync(options, region).ConfigureAwait(false);
                    shell.Note($"The nodes that use {options.Table} accept requests again within a second.");
                    return;
                }

                int campaigns = await TableRestore.PrepareAsync(options, region).ConfigureAwait(false);
                shell.Note($"{options.Table} holds {Words.Count(campaigns, "campaign")}. Start the nodes with REQUESTS_TABLE={options.Table} and "
                    + "look: they decide, and accept nothing. What came after the backup is lost. Then run `estat requests restore-table --resume`.");
            });
    }

    private static Command With(
        string name, string what, IReadOnlyList<Option> own, Func<ParseResult, RequestsOptions, string, Shell, Task> work)
    {
        var command = new Command(name, what);
        IReadOnlyList<Option> options = ServerOptions.Create();
        foreach (Option option in own.Concat(options))
        {
            command.Options.Add(option);
        }

        return command.Does(async (parsed, shell) =>
        {
            EstatOptions bound = ServerOptions.Bind(parsed, options);
            try
            {
                await work(parsed, bound.Requests, bound.Collect.Storage.AwsRegion, shell).ConfigureAwait(false);
                return ExitCode.Done;
            }
            catch (Exception error) when (error is StoreException or HttpRequestException or Amazon.Runtime.AmazonServiceException
                or Amazon.Runtime.AmazonClientException)
            {
                throw new CliException(error.Message.TrimEnd('.'));
            }
        });
    }
}
