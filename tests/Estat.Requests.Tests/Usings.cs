global using Estat.Requests.Campaigns;
global using Estat.Requests.Storing;
global using Estat.Requests.Tracing;
global using Estat.Testing;
global using Xunit;
